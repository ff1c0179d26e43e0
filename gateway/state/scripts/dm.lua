-- What a direct message costs its target: is the sender in the circle, and if not, one event each of the limit of this
-- stranger and the limit of all strangers, both or neither; and, where the target wants it so, one message until a reply.
-- KEYS: circle, this stranger's limit, all strangers' limit, what the two have written to each other ("asked": the
--   stranger has; "answered": the target has).
-- ARGV: sender, then interval and period of each limit, then for how long (ms) a first message stands; 0: any number.
-- Answers {ties} for a member of the circle, {0, 1} for who waits for a reply, else {0, 0, allowed, taken, tat,
--   retry_after (twice), whether this message is the one that may be sent before a reply}.
local ties = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or '0')
if ties ~= 0 then
  return { ties }
end
local patience = tonumber(ARGV[6])
local talk = 'answered'
if patience > 0 then
  talk = redis.call('GET', KEYS[4])
end
if talk == 'asked' then
  return { 0, 1 }
end
local pair = { key = KEYS[2], interval = tonumber(ARGV[2]), period = tonumber(ARGV[3]), least = 1, most = 1 }
local everyone = { key = KEYS[3], interval = tonumber(ARGV[4]), period = tonumber(ARGV[5]), least = 1, most = 1 }
local allowed = gcra_charge(gcra_now(), { pair, everyone }) and 1 or 0
local first = allowed == 1 and talk ~= 'answered'
if first then
  redis.call('SET', KEYS[4], 'asked', 'PX', patience)
end
return {
  0, 0, allowed,
  pair.taken, pair.tat, pair.retry_after,
  everyone.taken, everyone.tat, everyone.retry_after,
  first and 1 or 0,
}
