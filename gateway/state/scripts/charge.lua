-- Charge one or more limits, all or none. KEYS: one per limit. ARGV: interval, period, least, most of each.
-- Answers whether all were allowed, then taken, tat and retry_after of each (microseconds).
local limits = {}
for i, key in ipairs(KEYS) do
  local at = (i - 1) * 4
  limits[i] = {
    key = key,
    interval = tonumber(ARGV[at + 1]),
    period = tonumber(ARGV[at + 2]),
    least = tonumber(ARGV[at + 3]),
    most = tonumber(ARGV[at + 4]),
  }
end
local reply = { gcra_charge(gcra_now(), limits) and 1 or 0 }
for _, limit in ipairs(limits) do
  reply[#reply + 1] = limit.taken
  reply[#reply + 1] = limit.tat
  reply[#reply + 1] = limit.retry_after
end
return reply
