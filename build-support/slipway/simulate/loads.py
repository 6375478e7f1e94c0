"""Loads and unloads of models on the simulated instances, and the requests that wait for them."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heapreplace
from typing import Any

import numpy as np

from slipway.simulate.distribution import Distribution
from slipway.simulate.fleet import Fleet, Models
from slipway.simulate.instance import Copy, Instance
from slipway.simulate.instances import Instances
from slipway.simulate.outcome import FAILED, NOT_READY

DRAWN = 4096  # durations at a time
# models that are downloaded before they can be loaded: more would take the disk from loaded ones
AHEAD = 8


def _endless(distribution: Distribution, random: np.random.Generator) -> Callable[[], float]:
    """Return a function that returns the next value that was drawn."""

    def values() -> Any:
        while True:
            yield from distribution.draw(DRAWN, random).tolist()

    generator = values()
    return generator.__next__  # type: ignore[no-any-return]


class Loads(Instances):
    """Loads and unloads models on the instances. ``status`` and ``ends`` (s) are by request; a
    request that fails ends when it does."""

    def __init__(
        self,
        models: Models,
        fleet: Fleet,
        times: list[float],
        serve: list[float],
        random: np.random.Generator,
    ) -> None:
        super().__init__(models, fleet)
        self.times, self.serve = times, serve
        self.status = bytearray(len(times))
        self.ends = list(times)
        self.loads = self.evictions = self.downloads = self.overflows = 0
        self._load = _endless(models.load, random)
        self._unload = _endless(models.unload, random)
        self._download = _endless(models.download, random)
        self._settle = _endless(models.settle, random)
        self._first = _endless(models.first, random)
        self._ending = _endless(models.ending, random)
        self.handlers: dict[str, Callable[[float, Any, Any], None]] = {
            "free": self._pass_on,
            "fetched": self._fetched,
            "done": self._job_done,
            "settled": self._settled,
            "ended": self._ended,
            "retry": self._retry,
        }

    def wait_for(self, model: int, request: int, now: float) -> None:
        """Let a request wait for a model that is loaded nowhere."""
        if self.loading_at[model]:
            self.loading_at[model][0].loading[model].append(request)
            return
        # AWS does not document where: here the one with the fewest loads, then with most room
        instance = min(self.ready, key=lambda each: (len(each.loading), each.memory))
        self._start(instance, model, [request], now)

    def copy_elsewhere(self, model: int, busy: Instance, now: float) -> None:
        """Begin to load a busy model on another instance as well, if one is free."""
        if self.loading_at[model]:
            return
        others = [each for each in self.ready if model not in each.copies and each is not busy]
        free = [each for each in others if each.cores[0] <= now and model not in each.unloading]
        if free:
            self._start(
                min(free, key=lambda each: (len(each.loading), each.memory)), model, [], now
            )

    # ------------------------------------------------------------ loading

    def _start(self, instance: Instance, model: int, waiting: list[int], now: float) -> None:
        if model in instance.unloading:
            instance.unloading[model] += waiting
            return
        instance.loading[model] = waiting
        self.loading_at[model].append(instance)
        if model in instance.files:
            instance.files.move_to_end(model)
            self._admit(instance, model, now)
        elif self.disk[model] > instance.shape.disk:
            self._fail(instance, model, now)
        else:
            instance.for_disk.append(model)
            self._fetch(instance, now)

    def _fetch(self, instance: Instance, now: float) -> None:
        """Begin the downloads for which there is room on the disk, and make room for the next."""
        is_local = instance.shape.makes_room == "afterwards"
        while instance.for_disk and (is_local or instance.fetching + len(instance.room) < AHEAD):
            model = instance.for_disk[0]
            if not instance.remove_files(self.disk[model]):
                victim = self._evict_oldest(instance, now)
                if victim is None:
                    return
                # its files can be removed while it is being unloaded
                instance.used_disk -= instance.files.pop(victim, 0.0)
                continue
            instance.for_disk.popleft()
            instance.files[model] = self.disk[model]
            instance.used_disk += self.disk[model]
            self.downloads += 1
            instance.fetching += 1
            self.at(now + self._download(), "fetched", instance, model)

    def _fetched(self, now: float, instance: Instance, model: int) -> None:
        instance.fetching -= 1
        self._admit(instance, model, now)

    def _admit(self, instance: Instance, model: int, now: float) -> None:
        instance.room.append(model)
        self._fit(instance, now)

    def _fit(self, instance: Instance, now: float) -> None:
        """Begin the loads for which there is room, and make room for the next."""
        shape, first = instance.shape, instance.shape.makes_room == "first"
        while instance.room:
            model = instance.room[0]
            size = self.memory[model]
            if size > shape.memory:
                instance.room.popleft()
                self._fail(instance, model, now)
                continue
            if first:
                if instance.begun >= shape.loads_at_once:
                    return  # room is made for what can be loaded now, and not before
                leaving = sum(self.memory[each] for each in instance.unloading)
                fits = instance.memory + size <= shape.memory
                will_fit = instance.memory - leaving + size <= shape.memory
                many = bool(shape.most_models) and instance.admitted >= shape.most_models
                if not fits or many:
                    if will_fit and not many and instance.unloading:
                        return
                    if self._evict_oldest(instance, now) is None:
                        return
                    continue
                instance.take_memory(size)
            elif shape.most_models and instance.admitted > shape.most_models:
                self._trim(instance, now)
                return
            instance.room.popleft()
            instance.admitted += 1
            instance.begun += 1
            self._do(instance, True, model, now)

    def _evict_oldest(self, instance: Instance, now: float) -> int | None:
        """Unload the least recently used model and return it, or try again when one is idle."""
        victim = instance.oldest_idle(now)
        if victim is not None:
            self._evict(instance, victim, now)
        elif instance.copies and instance.retry_at <= now:
            instance.retry_at = instance.next_idle(now)
            self.at(instance.retry_at, "retry", instance, None)
        return victim

    def _evict(self, instance: Instance, model: int, now: float) -> None:
        del instance.copies[model]
        if instance.is_ready:
            self.holders[model].remove(instance)
        instance.unloading[model] = []
        instance.admitted -= 1
        self.evictions += 1
        if instance.shape.makes_room == "afterwards":
            self._fit(instance, now)  # a load that waits for this goes before the unload
        self._do(instance, False, model, now)

    def _trim(self, instance: Instance, now: float) -> None:
        """Unload what no longer fits, one model after the other."""
        shape = instance.shape
        if shape.makes_room == "first" or instance.is_trimming:
            return
        loaded = len(instance.copies)
        leaving = sum(self.memory[each] for each in instance.unloading)
        over = bool(shape.most_models) and loaded > shape.most_models
        if over or (instance.memory - leaving > shape.memory and loaded > 1):
            instance.is_trimming = True
            instance.is_trimming = self._evict_oldest(instance, now) is not None

    def _retry(self, now: float, instance: Instance, _: object) -> None:
        self._continue(instance, now)

    def _continue(self, instance: Instance, now: float) -> None:
        """Do what was waiting for something to end."""
        self._fetch(instance, now)
        self._fit(instance, now)
        self._trim(instance, now)

    # ------------------------------------------------------------ one job after the other

    def _do(self, instance: Instance, is_load: bool, model: int, now: float) -> None:
        instance.jobs.append((is_load, model))
        self._next_job(instance, now)

    def _next_job(self, instance: Instance, now: float) -> None:
        while instance.jobs and instance.running < instance.shape.loads_at_once:
            is_load, model = instance.jobs.popleft()
            instance.running += 1
            seconds = self._load() if is_load else self._unload()
            failed = is_load and seconds > self.fleet.load_s
            seconds = min(seconds, self.fleet.load_s)
            self.at(now + seconds, "done", instance, (is_load, model, failed))

    def _job_done(self, now: float, instance: Instance, job: tuple[bool, int, bool]) -> None:
        is_load, model, failed = job
        instance.running -= 1
        instance.begun -= is_load
        if is_load and failed:
            instance.admitted -= 1
            if instance.shape.makes_room == "first":
                instance.take_memory(-self.memory[model])
            self._fail(instance, model, now)
        elif is_load:
            self.at(now + self._settle() + self._first(), "settled", instance, model)
        else:
            self.at(now + self._ending(), "ended", instance, model)
        self._next_job(instance, now)
        self._continue(instance, now)

    def _ended(self, now: float, instance: Instance, model: int) -> None:
        """Count a model's memory no more: its processes have ended after its unload."""
        instance.take_memory(-self.memory[model])
        waiting = instance.unloading.pop(model)
        instance.is_trimming = False
        if waiting:
            self._start(instance, model, waiting, now)
        self._continue(instance, now)

    def _settled(self, now: float, instance: Instance, model: int) -> None:
        """Pass the requests on that waited for a model; those that waited too long have got 429."""
        self.loads += 1
        waiting = instance.loading.pop(model)
        self.loading_at[model].remove(instance)
        if instance.shape.makes_room == "afterwards":
            instance.take_memory(self.memory[model])
        elif instance.memory > instance.shape.memory:
            self.overflows += 1
        copy = instance.copies[model] = Copy(self.models.concurrency, now)
        if instance.is_ready:
            self.holders[model].append(instance)
        for request in waiting:
            if now - self.times[request] > self.fleet.not_ready_s:
                self.status[request] = NOT_READY
                self.ends[request] = self.times[request] + self.fleet.not_ready_s
            else:
                copy.pending.append(request)
        if copy.pending:
            self._pass_on(now, instance, copy)
        self._continue(instance, now)

    def _pass_on(self, now: float, instance: Instance, copy: Copy) -> None:
        """Serve the requests that wait for a place of this model, as many as are free."""
        while copy.pending and copy.free[0] <= now:
            request = copy.pending.popleft()
            end = max(instance.cores[0], now) + self.serve[request]
            heapreplace(instance.cores, end)
            heapreplace(copy.free, end)
            self.ends[request] = end
        if copy.pending:
            self.at(copy.free[0], "free", instance, copy)

    def _fail(self, instance: Instance, model: int, now: float) -> None:
        for request in instance.loading.pop(model):
            self.status[request] = FAILED
            self.ends[request] = now
        self.loading_at[model].remove(instance)
        self.at(now, "retry", instance, None)  # its files may make room for others
