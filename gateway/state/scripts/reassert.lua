-- A worker knows of protections and sanctions that this store lacks, as a replica promoted too early does. Put them
-- back, unless the store has all that the worker has seen and whatever is lacking was taken back since.
-- KEYS: epoch, change stream, then the hash of each thing. ARGV: stream length, the epoch that the worker has applied
-- and the place of its entry in the stream, then of each thing its noun, id, value and end (unix seconds).
-- What ends earlier in the store than at the worker, or closes less, is lacking too; nothing is ever taken away. Answers how many were
-- put back.
local known, place = tonumber(ARGV[2]), ARGV[3]
if #redis.call('XRANGE', KEYS[2], place, place) > 0 then
  return 0
end
local epoch = tonumber(redis.call('GET', KEYS[1]) or '0')

-- An entry so old that it has been trimmed away cannot be looked for; then the epochs decide.
local function milliseconds(id)
  local ms, number = string.match(id, '(%d+)-(%d+)')
  return tonumber(ms), tonumber(number)
end
local first = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]
local trimmed = true
if first then
  local first_ms, first_number = milliseconds(first[1])
  local ms, number = milliseconds(place)
  trimmed = first_ms > ms or (first_ms == ms and first_number > number)
end
if trimmed and epoch >= known then
  return 0
end

if epoch < known then
  redis.call('SET', KEYS[1], string.format('%.0f', known))
end
-- Whether what the store keeps lasts as long as what the worker knows, and closes all that that closes.
local function covers(kept, value, ends)
  local there, here, closed = cjson.decode(kept), cjson.decode(value), {}
  for _, kind in ipairs(there.kinds or {}) do
    closed[kind] = true
  end
  for _, kind in ipairs(here.kinds or {}) do
    if not closed[kind] then
      return false
    end
  end
  return there['until'] >= ends
end

local put = 0
for i = 1, #KEYS - 2 do
  local noun, id, value, ends = ARGV[4 * i], ARGV[4 * i + 1], ARGV[4 * i + 2], tonumber(ARGV[4 * i + 3])
  local kept = redis.call('HGET', KEYS[i + 2], id)
  if not kept or not covers(kept, value, ends) then
    redis.call('HSET', KEYS[i + 2], id, value)
    tell('noun', noun, 'id', id, 'value', value)
    put = put + 1
  end
end
if put > 0 then
  ring()
end
return put
