"""Rate limits: pure GCRA arithmetic, the same steps in Lua, and prepaid leases. No I/O; time is an argument."""
