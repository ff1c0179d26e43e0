-- Give back one event to each limit. KEYS: one per limit. ARGV: the interval of each.
local now = gcra_now()
for i, key in ipairs(KEYS) do
  gcra_refund(now, key, tonumber(ARGV[i]), 1)
end
return #KEYS
