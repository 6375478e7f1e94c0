"""The discrete-event simulation of a fleet.

A request that finds its model loaded costs a few operations on heaps: with first come, first
served, its start and its end are known as soon as it is its turn (Kiefer and Wolfowitz, "On the
Theory of Queues with Many Servers", 1955). Only loads, unloads, waits for a model, and scaling are
events of their own.
"""

from __future__ import annotations

import math
from heapq import heappop, heapreplace

import numpy as np

from slipway.simulate.autoscaling import Autoscaler
from slipway.simulate.fleet import Fleet, Models
from slipway.simulate.instance import Instance
from slipway.simulate.loads import Loads
from slipway.simulate.outcome import COLD, Outcome
from slipway.simulate.traffic import Traffic


def simulate(
    models: Models, fleet: Fleet, traffic: Traffic, seed: int = 0, *, is_filled: bool = False
) -> Outcome:
    """Return what becomes of every request of ``traffic``. Equal arguments give equal results.

    A fleet begins with no model loaded and nothing on its disks. One that ``is_filled`` begins with
    the most popular models, as many as there is room for.
    """
    random = np.random.default_rng(seed)
    count = len(traffic.times)
    times: list[float] = traffic.times.tolist()
    serve: list[float] = models.serve.draw(count, random).tolist()
    loads = Loads(models, fleet, times, serve, random)
    events, holders, status, ends = loads.events, loads.holders, loads.status, loads.ends
    scaler = Autoscaler(fleet, loads)
    if is_filled:
        loads.fill(traffic.shares, times[0])
    handle = {**loads.handlers, **scaler.handlers}
    has_others = fleet.instances > 1 or fleet.scaling is not None
    patience = fleet.copy_after_s if has_others and fleet.copy_after_s is not None else math.inf
    for request, (now, model) in enumerate(zip(times, traffic.models.tolist(), strict=True)):
        while events and events[0][0] <= now:
            when, _, kind, instance, subject = heappop(events)
            handle[kind](when, instance, subject)
        scaler.requests += 1
        holding = holders[model]
        if not holding:
            status[request] = COLD
            loads.wait_for(model, request, now)
            continue
        instance = holding[0] if len(holding) == 1 else loads.least_busy(holding, model)
        copies = instance.copies
        copy = copies[model]
        copies.move_to_end(model)
        free, cores = copy.free, instance.cores
        if copy.pending or free[0] > now:
            copy.pending.append(request)
            if len(copy.pending) == 1:
                loads.at(free[0], "free", instance, copy)
        else:
            core = cores[0]
            end = (core if core > now else now) + serve[request]
            heapreplace(cores, end)
            heapreplace(free, end)
            ends[request] = end
        if loads.wait_at(instance, copy, now) > patience:
            loads.copy_elsewhere(model, instance, now)
    last = times[-1]
    scaler.is_over = True
    while events:
        when, _, kind, instance, subject = heappop(events)
        handle[kind](when, instance, subject)
    return Outcome(
        traffic.times,
        np.asarray(ends) - traffic.times + models.overhead_s,
        np.frombuffer(bytes(status), dtype=np.uint8),
        loads.loads,
        loads.evictions,
        loads.downloads,
        tuple(scaler.history),
        instance_seconds(loads.instances, last),
        last,
        max(instance.most_memory for instance in loads.instances),
        loads.overflows,
    )


def instance_seconds(instances: list[Instance], last: float) -> float:
    """Return for how long instances were paid for, all together, until ``last``."""
    return sum(
        max(
            0.0,
            min(last, instance.ended if instance.ended is not None else last) - instance.started,
        )
        for instance in instances
    )
