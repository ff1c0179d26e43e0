"""What can go wrong with state, by whose fault it is."""

from __future__ import annotations


class StateError(Exception):
    """Something about shared state cannot be done."""


class StoreUnavailable(StateError):
    """The store cannot be reached, does not answer in time, or is not ready. Nobody's input is at fault."""


class StoreRefused(StoreUnavailable):
    """The store answered with an error: out of memory, read-only, not allowed. What was asked did not happen."""


class PartitionsDiffer(StateError):
    """The store was made with another number of partitions than the settings name. The operator's fault."""

    def __init__(self, stored: int, wanted: int) -> None:
        super().__init__(
            f"the store was made with {stored} partitions, the settings say {wanted}; "
            "the number is fixed at first start"
        )


class EngineError(StateError):
    """The embedded engine cannot be run. The message says why and where its log is."""


class DataDirInUse(EngineError):
    """Another running process uses this data directory. ``pid`` is that process (0 if it left no number)."""

    def __init__(self, data_dir: str, pid: int) -> None:
        who = f"process {pid}" if pid else "another process"
        super().__init__(f"the data directory {data_dir} is in use by {who}")
        self.pid = pid
