-- Cases by id, those that are still kept. ARGV: ids.
local cases = {}
for _, id in ipairs(ARGV) do
  cases[#cases + 1] = case_read(id) or nil
end
return cases
