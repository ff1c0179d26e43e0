-- What a direct message costs its sender: one event of the limit of DMs to anybody, and, where the target is not known to
-- have the sender in their circle, a place among so many strangers whom one account may write to in a time.
-- KEYS: the limit, the strangers whom the sender has written to (a sorted set: digest -> when last, ms).
-- ARGV: interval and period of the limit, then the target's digest, how many strangers (0: not asked) in how long (ms).
-- Answers whether the limit allowed it, taken, tat, retry_after, then whether the target is one too many, for how long
--   (ms), and whether it has taken a new place.
local now = gcra_now()
local flood = { key = KEYS[1], interval = tonumber(ARGV[1]), period = tonumber(ARGV[2]), least = 1, most = 1 }
local allowed = gcra_charge(now, { flood }) and 1 or 0
local target, most, period = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local too_many, wait, new = 0, 0, 0
if allowed == 1 and most > 0 then
  local now_ms = math.floor(now / 1000)
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now_ms - period)
  new = redis.call('ZSCORE', KEYS[2], target) and 0 or 1
  if new == 1 and redis.call('ZCARD', KEYS[2]) >= most then
    local oldest = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
    too_many, new, wait = 1, 0, oldest[2] + period - now_ms
  else
    redis.call('ZADD', KEYS[2], now_ms, target)
    redis.call('PEXPIRE', KEYS[2], period)
  end
end
return { allowed, flood.taken, flood.tat, flood.retry_after, too_many, wait, new }
