-- One change of a person's circle: who gets ties, and who loses some. Tells the change stream whose circle has changed.
-- KEYS: epoch, change stream, the person's circle (a hash: member -> ties, a number of bits).
-- ARGV: stream length, noun, person, operation (tie | untie), ties, members. Answers the epoch.
local operation, ties = ARGV[4], tonumber(ARGV[5])
for i = 6, #ARGV do
  local member = ARGV[i]
  local had = tonumber(redis.call('HGET', KEYS[3], member) or '0')
  local has = operation == 'tie' and bit.bor(had, ties) or bit.band(had, bit.bnot(ties))
  if has == 0 then
    redis.call('HDEL', KEYS[3], member)
  elseif has ~= had then
    redis.call('HSET', KEYS[3], member, has)
  end
end
local epoch = tell('noun', ARGV[2], 'id', ARGV[3])
ring()
return epoch
