-- The generic cell rate algorithm of gcra.py, step for step, inside the store. Read that module first.
--
-- All numbers are integers of microseconds held in doubles: a unix time is 1.8e15, exact up to 9.0e15.
-- This file only defines functions; the scripts of gateway/state are this text followed by their own.

-- The store's clock: every node that asks it agrees.
local function gcra_now()
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end

local function gcra_keep(key, now, tat)
  -- Once the arrival time has passed, a missing key means the same as a kept one.
  redis.call('SET', key, string.format('%.0f', tat), 'PX', math.ceil((tat - now) / 1000))
end

-- Charge several limits at once: all of them or none.
--
-- Each limit is {key=, interval=, period=, least=, most=}: it takes as many events as are free, `most` at the most,
-- and refuses when fewer than `least` are. Fills in `taken` (0 if refused), `tat` and `retry_after` of each and
-- returns whether all were allowed. Where one limit refuses, the others keep their arrival time.
local function gcra_charge(now, limits)
  local allowed = true
  for _, limit in ipairs(limits) do
    limit.tat = tonumber(redis.call('GET', limit.key) or '0')
    if limit.tat > now + limit.period then -- charged under a former, slower rate: full, and no more than full
      limit.tat = now + limit.period
      gcra_keep(limit.key, now, limit.tat)
    end
    local start = math.max(limit.tat, now)
    local free = math.floor((limit.period - (start - now)) / limit.interval)
    limit.taken = math.min(limit.most, free)
    limit.retry_after = 0
    if limit.taken < limit.least then
      limit.taken = 0
      limit.retry_after = start + limit.least * limit.interval - now - limit.period
      allowed = false
    end
    limit.arrival = start + limit.taken * limit.interval
  end
  if allowed then
    for _, limit in ipairs(limits) do
      limit.tat = limit.arrival
      gcra_keep(limit.key, now, limit.tat)
    end
  end
  return allowed
end

-- Give back `quantity` events: the arrival time moves back as far as they had moved it.
local function gcra_refund(now, key, interval, quantity)
  local tat = tonumber(redis.call('GET', key) or '0') - quantity * interval
  if tat > now then
    gcra_keep(key, now, tat)
  else
    redis.call('DEL', key)
  end
end
