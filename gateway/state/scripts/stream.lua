-- How a change of a partition is told. For scripts with KEYS: epoch, change stream, ... and ARGV: stream length, ...
-- Bumps the epoch and answers it.
local function tell(...)
  local epoch = redis.call('INCR', KEYS[1])
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[1], '*', 'epoch', epoch, ...)
  return epoch
end

-- The bell for readers in a Cluster, once all is told; a user that may not ring it does no harm.
local function ring()
  redis.pcall('PUBLISH', 'sw:changes', KEYS[2])
end
