"""A worker on a machine whose clock is off: ``python -m tests.gateway.state.wrong_clock URL SECONDS``.

Prints by how much, then for each person named on standard input why a stranger's comment at them is refused.
"""

from __future__ import annotations

import asyncio
import functools
import sys
import time

right = time.time


async def main(url: str, off_s: float) -> None:
    time.time = lambda: right() + off_s

    from filters.hits import CLEAN
    from gateway.settings import StateSettings
    from gateway.state.state import open_state
    from protection.events import Event, Kind
    from protection.pipeline import decide
    from protection.policy import Policy
    from tests.gateway.state.waiting import until

    policy = Policy()
    async with open_state(StateSettings(url=url), lambda: policy, "off", url) as state:
        await state.loaded()
        print(time.time() - state.now(), flush=True)
        while person := (await asyncio.to_thread(sys.stdin.readline)).strip():
            await until(functools.partial(state.replica.protection_of, person))
            event = Event(Kind.COMMENT, "stranger", "hello", target=person)
            print(decide(event, await state.load(event), CLEAN, policy).reason, flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2])))
