-- Many checks in one call. KEYS: theirs, one check's after the other's. ARGV: of each check its name, how many keys and
-- how many arguments it has, and those arguments. Answers the answers, in order; a check that fails answers its error
-- and disturbs no other.
local replies = {}
local key, at = 0, 1
while at <= #ARGV do
  local keys, arguments = {}, {}
  for i = 1, tonumber(ARGV[at + 1]) do
    keys[i] = KEYS[key + i]
  end
  for i = 1, tonumber(ARGV[at + 2]) do
    arguments[i] = ARGV[at + 2 + i]
  end
  local fine, reply = pcall(checks[ARGV[at]], keys, arguments)
  if not fine and type(reply) ~= 'table' then
    reply = { err = tostring(reply) }
  end
  replies[#replies + 1] = reply
  key, at = key + #keys, at + 3 + #arguments
end
return replies
