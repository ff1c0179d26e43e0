-- Change one field of a partition's hash if it still is what the caller saw; tell the change stream, and the person.
-- KEYS: epoch, change stream, the hash, the partition's notices, and, where what is done may be done once only, a key
--   that stands for having done it.
-- ARGV: stream length, noun, id, what the caller saw, what is to stand there ('' for nothing, in both), a notice for
--   the person ('' for none), how many notices are kept, and how long (ms) it counts as done.
-- Answers the epoch; 0 if something else stood there; -1 if it has been done before. Then nothing has changed.
local noun, id, seen, value, notice = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
if KEYS[5] and redis.call('EXISTS', KEYS[5]) == 1 then
  return -1
end
if (redis.call('HGET', KEYS[3], id) or '') ~= seen then
  return 0
end
if KEYS[5] then
  redis.call('SET', KEYS[5], '1', 'PX', ARGV[8])
end

local epoch
if value == '' then
  redis.call('HDEL', KEYS[3], id)
  epoch = tell('noun', noun, 'id', id)
else
  redis.call('HSET', KEYS[3], id, value)
  epoch = tell('noun', noun, 'id', id, 'value', value)
end
if notice ~= '' then
  redis.call('XADD', KEYS[4], 'MAXLEN', '~', ARGV[7], '*', 'person', id, 'notice', notice)
  epoch = tell('noun', 'notice', 'id', id, 'value', notice)
end
ring()
return epoch
