-- The cases changed last, newest first. ARGV: how many.
local cases = {}
for _, id in ipairs(redis.call('ZRANGE', P .. 'index', 0, ARGV[1] - 1, 'REV')) do
  cases[#cases + 1] = case_read(id) or nil
end
return cases
