"""Another worker, in a process of its own: ``python -m tests.gateway.state.worker URL DATA_DIR NAME``.

Prints a line once its state is open, then one for each change that it has applied.
"""

from __future__ import annotations

import asyncio
import sys

from gateway.settings import StateSettings
from gateway.state.state import open_state
from protection.policy import Policy


async def main(url: str, data_dir: str, name: str) -> None:
    policy = Policy()
    async with open_state(StateSettings(data_dir=data_dir), lambda: policy, name, url) as state:
        state.subscribe(lambda change: print(change.noun, change.id, flush=True))
        print("open", flush=True)
        await asyncio.to_thread(sys.stdin.read)  # until the test closes it


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
