-- One change of one partition: bump its epoch, change the state, tell the change stream. Answers the epoch.
-- KEYS: epoch, change stream, the state's own key. ARGV: stream length, noun, id, operation, then
--   set <value>   keep value under id in a hash        del   take id out of it
--   tell <value>  keep nothing, tell the stream alone
local noun, id, operation = ARGV[2], ARGV[3], ARGV[4]
local entry = { 'noun', noun, 'id', id }
if operation == 'set' then
  redis.call('HSET', KEYS[3], id, ARGV[5])
  entry[5], entry[6] = 'value', ARGV[5]
elseif operation == 'tell' then
  entry[5], entry[6] = 'value', ARGV[5]
elseif operation == 'del' then
  redis.call('HDEL', KEYS[3], id)
else
  return redis.error_reply('unknown operation ' .. operation)
end
local epoch = tell(unpack(entry))
ring()
return epoch
