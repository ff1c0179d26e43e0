-- What a direct message costs its target: is the sender in the circle, and if not, one event each of the limit of this
-- stranger and the limit of all strangers, both or neither.
-- KEYS: circle, this stranger's limit, all strangers' limit. ARGV: sender, then interval and period of each limit.
-- Answers {1} for a member of the circle, else {0, allowed, taken, tat, retry_after (twice)}.
if redis.call('SISMEMBER', KEYS[1], ARGV[1]) == 1 then
  return { 1 }
end
local pair = { key = KEYS[2], interval = tonumber(ARGV[2]), period = tonumber(ARGV[3]), least = 1, most = 1 }
local everyone = { key = KEYS[3], interval = tonumber(ARGV[4]), period = tonumber(ARGV[5]), least = 1, most = 1 }
local allowed = gcra_charge(gcra_now(), { pair, everyone }) and 1 or 0
return {
  0, allowed,
  pair.taken, pair.tat, pair.retry_after,
  everyone.taken, everyone.tat, everyone.retry_after,
}
