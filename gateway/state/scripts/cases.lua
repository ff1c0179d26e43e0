-- Cases. All keys begin with the one in KEYS[1], whose hash tag puts them into one slot:
--   open:<subject>   the case that further incidents join, while it is recently active
--   recent:<subject> incidents that have not made a case yet, by time
--   seen:<incident>  so that a repeated call counts once
--   case:<id>        what does not grow; case:<id>:latest, :senders, :reasons what does
--   index            cases by last change; last-id; stream: one entry for each opened or changed case
local P = KEYS[1]

local function case_key(id, part)
  return P .. 'case:' .. id .. (part and ':' .. part or '')
end

-- The whole case as a flat list, or false if it is no longer kept.
local function case_read(id)
  local fields = redis.call('HMGET', case_key(id), 'subject', 'room', 'opened', 'updated', 'severe', 'incidents')
  if not fields[1] then
    return false
  end
  return {
    id, fields,
    redis.call('SCARD', case_key(id, 'senders')),
    redis.call('ZRANGE', case_key(id, 'reasons'), 0, -1),
    redis.call('LRANGE', case_key(id, 'latest'), 0, -1),
  }
end
