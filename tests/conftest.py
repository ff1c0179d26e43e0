"""What all tests share: machine code is compiled once for all of them and the processes that they start."""

from __future__ import annotations

from hypothesis import settings

from gateway.warm_start import keep_machine_code

keep_machine_code()
# How long something takes is the benches' to say: an example that meets a compile or a busy machine is no failure.
settings.register_profile("shieldwire", deadline=None)
settings.load_profile("shieldwire")
