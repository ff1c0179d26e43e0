"""What all tests share: machine code is compiled once for all of them and the processes that they start."""

from __future__ import annotations

from gateway.warm_start import keep_machine_code

keep_machine_code()
