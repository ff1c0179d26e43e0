-- One change of one partition: bump its epoch, change the state, tell the change stream. Answers the epoch.
-- KEYS: epoch, change stream, the state's own key. ARGV: stream length, noun, id, operation, then
--   set <value>   keep value under id in a hash        del           take id out of it
--   tell <value>       keep nothing, tell the stream alone
--   add <member>* put members into a set               rem <member>* take them out
-- Members of a set are not told in the stream: it names whose set has changed.
local length, noun, id, operation = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local epoch = redis.call('INCR', KEYS[1])
local entry = { 'epoch', epoch, 'noun', noun, 'id', id }
if operation == 'set' then
  redis.call('HSET', KEYS[3], id, ARGV[5])
  entry[7], entry[8] = 'value', ARGV[5]
elseif operation == 'tell' then
  entry[7], entry[8] = 'value', ARGV[5]
elseif operation == 'del' then
  redis.call('HDEL', KEYS[3], id)
elseif #ARGV > 4 then
  redis.call(operation == 'add' and 'SADD' or 'SREM', KEYS[3], unpack(ARGV, 5))
end
redis.call('XADD', KEYS[2], 'MAXLEN', '~', length, '*', unpack(entry))
-- The bell for readers in a Cluster; a user that may not ring it does no harm.
redis.pcall('PUBLISH', 'sw:changes', KEYS[2])
return epoch
