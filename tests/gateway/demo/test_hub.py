"""Fan-out inside the demo's platform."""

from __future__ import annotations

from gateway.demo.hub import OUTBOX, Hub, Listener


def test_a_listener_that_does_not_read_misses_frames_and_costs_the_others_nothing() -> None:
    hub, slow = Hub(), Listener()
    with hub.listening("room:a", slow):
        for _ in range(OUTBOX + 5):
            hub.publish("room:a", "frame")
        fresh = Listener()
        with hub.listening("room:a", fresh):
            hub.publish("room:a", "one more")
            assert not slow.offer("one more")
            assert fresh.offer("and another")


def test_a_channel_counts_those_who_listen_now() -> None:
    hub = Hub()
    with hub.listening("room:a", Listener()), hub.listening("room:b", Listener()):
        with hub.listening("room:a", Listener()):
            assert (hub.count("room:a"), hub.count("room:b")) == (2, 1)
        assert hub.count("room:a") == 1
    assert hub.count("room:a") == 0
