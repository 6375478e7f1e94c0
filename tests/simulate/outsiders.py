"""Ask two simulators that nobody here wrote, SimPy and Ciw, and print their answers.

``outsiders.json`` has them. To ask again, with both installed outside the repository::

    pip install --target /tmp/outsiders ciw==3.2.7 simpy==4.1.2
    PYTHONPATH=/tmp/outsiders python tests/simulate/outsiders.py > tests/simulate/outsiders.json
"""

from __future__ import annotations

import json
import random
from typing import Any

import ciw
import simpy

MODELS, ROOM, CORES = 12, 5, 2
LOAD, UNLOAD, DOWNLOAD, SERVE = 1.0, 0.3, 0.5, 0.05


def fleet(seed: int, rate: float, count: int, ending: float = 0.0) -> dict[str, Any]:
    """One instance in SimPy: a least recently used cache of models, loads one at a time.

    An unloaded model keeps its memory for ``ending`` seconds, and is not loaded again in them.
    """
    drawn = random.Random(seed)
    times, models, now = [], [], 0.0
    for _ in range(count):
        now += drawn.expovariate(rate)
        times.append(now)
        models.append(min(int(drawn.paretovariate(0.7)) - 1, MODELS - 1))
    env = simpy.Environment()
    cores = simpy.Resource(env, CORES)
    places = {model: simpy.Resource(env, 1) for model in range(MODELS)}
    room, ready = simpy.Store(env), {}
    used: dict[int, float] = {}  # loaded models, and when they were last asked for
    in_use = dict.fromkeys(range(MODELS), 0)
    leaving: dict[int, Any] = {}
    on_disk: set[int] = set()
    ends, was_hit = [0.0] * count, [False] * count

    def request(number: int, model: int) -> Any:
        in_use[model] += 1
        if model in used:
            was_hit[number] = True
            used[model] = env.now
        else:
            if model in leaving:
                yield leaving[model]
            if model not in ready:
                ready[model] = env.event()
                env.process(fetch(model))
            yield ready[model]
        with places[model].request() as place:
            yield place
            with cores.request() as core:
                yield core
                yield env.timeout(SERVE)
        in_use[model] -= 1
        ends[number] = env.now

    def fetch(model: int) -> Any:
        if model not in on_disk:
            yield env.timeout(DOWNLOAD)
            on_disk.add(model)
        yield room.put(model)

    def loader() -> Any:
        while True:
            model = yield room.get()
            if len(used) >= ROOM:
                victims = [each for each in used if not in_use[each]]
                victim = min(victims, key=lambda each: used[each])
                del used[victim]
                leaving[victim] = env.event()
                yield env.timeout(UNLOAD + ending)
                leaving.pop(victim).succeed()
            yield env.timeout(LOAD)
            used[model] = env.now
            ready.pop(model).succeed()

    def arrivals() -> Any:
        for number, (when, model) in enumerate(zip(times, models, strict=True)):
            yield env.timeout(when - env.now)
            env.process(request(number, model))

    env.process(loader())
    env.process(arrivals())
    env.run(until=times[-1] + 600)
    latency = [round(end - when, 6) for end, when in zip(ends, times, strict=True)]
    return {
        "ending": ending,
        "times": times,
        "models": models,
        "latency": latency,
        "hit": was_hit,
    }


def queue(rate: float, servers: int, service: Any, seeds: int) -> dict[str, float]:
    """Waits in one queue of Ciw, of many requests."""
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(rate)],
        service_distributions=[service],
        number_of_servers=[servers],
    )
    waits: list[float] = []
    for seed in range(seeds):
        ciw.seed(seed)
        run = ciw.Simulation(network)
        run.simulate_until_max_time(3000)
        waits += [each.waiting_time for each in run.get_all_records() if each.arrival_date > 100]
    waits.sort()
    return {
        "mean": sum(waits) / len(waits),
        "p90": waits[int(0.9 * len(waits))],
        "p99": waits[int(0.99 * len(waits))],
        "requests": len(waits),
    }


if __name__ == "__main__":
    print(
        json.dumps(
            {
                "simpy": [
                    fleet(1, 1.0, 300),
                    fleet(2, 0.6, 300),
                    fleet(3, 8.0, 300),
                    fleet(4, 0.8, 300, ending=1.5),
                ],
                "ciw": {
                    "M/M/3": queue(24.0, 3, ciw.dists.Exponential(10.0), 6),
                    "M/D/2": queue(17.0, 2, ciw.dists.Deterministic(0.1), 6),
                },
            }
        )
    )
