"""The state of one simulated instance."""

from __future__ import annotations

from collections import OrderedDict, deque

from slipway.simulate.fleet import Shape


class Copy:
    """A loaded model on one instance. ``free`` is a heap of the times at which its places for a
    request are free, ``pending`` are requests that wait for one."""

    __slots__ = ("free", "pending")

    def __init__(self, concurrency: int, now: float) -> None:
        self.free = [now] * concurrency
        self.pending: deque[int] = deque()

    def busy_until(self, now: float) -> float:
        """Return when it serves no request any more, as far as is known; ``now`` if it is idle."""
        last = max(self.free)
        return max(last, now + 1e-3) if self.pending else max(last, now)


class Instance:
    """One instance. Models are numbers; requests, too.

    ``copies`` are the loaded models, the least recently used first; ``loading`` and ``unloading``
    have the requests that wait for the end of it. ``files`` are the models on the disk with their
    sizes, the least recently used first. ``cores`` is a heap of the times at which cores are free.
    """

    __slots__ = (
        "admitted",
        "begun",
        "copies",
        "cores",
        "ended",
        "fetching",
        "files",
        "for_disk",
        "is_ready",
        "is_trimming",
        "jobs",
        "loading",
        "memory",
        "most_memory",
        "retry_at",
        "room",
        "running",
        "shape",
        "started",
        "unloading",
        "used_disk",
    )

    def __init__(self, shape: Shape, now: float) -> None:
        self.shape = shape
        self.started = now
        self.ended: float | None = None
        self.is_ready = False
        self.cores = [now] * shape.cores
        self.copies: OrderedDict[int, Copy] = OrderedDict()
        self.loading: dict[int, list[int]] = {}
        self.unloading: dict[int, list[int]] = {}
        self.files: OrderedDict[int, float] = OrderedDict()
        self.used_disk = 0.0
        # of models that are loaded, being loaded or being unloaded
        self.memory = 0.0
        self.most_memory = 0.0
        # models that are loaded, or count towards the limit while they are being loaded
        self.admitted = 0
        # models that wait for room on the disk, and then in memory, in order of arrival
        self.for_disk: deque[int] = deque()
        self.fetching = 0  # downloads under way
        self.room: deque[int] = deque()
        # loads (True) and unloads (False) in order; `running` of them are under way
        self.jobs: deque[tuple[bool, int]] = deque()
        self.running = 0
        # loads that wait for their turn or are under way
        self.begun = 0
        self.is_trimming = False
        self.retry_at = 0.0

    def take_memory(self, size: float) -> None:
        """Count ``size`` bytes more (or less, if negative)."""
        self.memory += size
        if self.memory > self.most_memory:
            self.most_memory = self.memory

    def oldest_idle(self, now: float) -> int | None:
        """Return the least recently used model that serves no request, if there is one."""
        for model, copy in self.copies.items():
            if not copy.pending and max(copy.free) <= now:
                return model
        return None

    def next_idle(self, now: float) -> float:
        """Return when one of its models may be idle, later than ``now``."""
        times = [copy.busy_until(now) for copy in self.copies.values()]
        return max(min(times, default=now), now) + 1e-3

    def remove_files(self, needed: float) -> bool:
        """Remove the least recently used files of models that are not loaded, until ``needed``
        bytes fit; return whether they do."""
        room = self.shape.disk - needed
        if self.used_disk > room:
            for model in list(self.files):
                if model in self.copies or model in self.loading or model in self.unloading:
                    continue
                self.used_disk -= self.files.pop(model)
                if self.used_disk <= room:
                    break
        return self.used_disk <= room
