-- Record one incident; open a case where the rules say so, or join the subject's open one. Answers that case, or false.
-- ARGV: the incident's unique name, the incident (JSON), repeated, window, then: seconds a case stays open after its
-- last incident, seconds it is kept, and how many latest incidents, counted senders and stream entries are kept.
local name, json = ARGV[1], ARGV[2]
local repeated, window, open_s, kept_s = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local most_latest, most_senders, most_entries = tonumber(ARGV[7]), tonumber(ARGV[8]), ARGV[9]
local incident = cjson.decode(json)
local opened = redis.call('GET', P .. 'open:' .. incident.subject)

if not redis.call('SET', P .. 'seen:' .. name, '1', 'NX', 'EX', open_s) then
  return opened and case_read(opened) or false
end

local joining = { json }
if not opened then
  local recent = P .. 'recent:' .. incident.subject
  redis.call('ZADD', recent, incident.at, json)
  redis.call('ZREMRANGEBYSCORE', recent, '-inf', '(' .. string.format('%.6f', incident.at - window))
  redis.call('EXPIRE', recent, window + 1)
  if not incident.severe and redis.call('ZCARD', recent) < repeated then
    return false
  end
  joining = redis.call('ZRANGE', recent, 0, -1)
  redis.call('DEL', recent)
  opened = tostring(redis.call('INCR', P .. 'last-id'))
  redis.call('HSET', case_key(opened), 'subject', incident.subject, 'room', incident.room,
    'opened', string.format('%.6f', incident.at), 'severe', '0')
end

for _, one in ipairs(joining) do
  local told = cjson.decode(one)
  redis.call('HINCRBY', case_key(opened), 'incidents', 1)
  redis.call('LPUSH', case_key(opened, 'latest'), one)
  redis.call('ZADD', case_key(opened, 'reasons'), 'NX', told.at, told.reason)
  if redis.call('SCARD', case_key(opened, 'senders')) < most_senders then
    redis.call('SADD', case_key(opened, 'senders'), told.sender)
  end
  if told.severe then
    redis.call('HSET', case_key(opened), 'severe', '1')
  end
end
redis.call('LTRIM', case_key(opened, 'latest'), 0, most_latest - 1)
redis.call('HSET', case_key(opened), 'updated', string.format('%.6f', incident.at))
redis.call('SET', P .. 'open:' .. incident.subject, opened, 'EX', open_s)

for _, key in ipairs({
  case_key(opened), case_key(opened, 'latest'), case_key(opened, 'senders'), case_key(opened, 'reasons'),
}) do
  redis.call('EXPIRE', key, kept_s)
end
local oldest = redis.call('TIME')[1] - kept_s
redis.call('ZADD', P .. 'index', incident.at, opened)
redis.call('ZREMRANGEBYSCORE', P .. 'index', '-inf', oldest)
redis.call('XADD', P .. 'stream', 'MINID', '~', string.format('%.0f', oldest * 1000), '*', 'case', opened)
redis.call('XTRIM', P .. 'stream', 'MAXLEN', '~', most_entries)
return case_read(opened)
