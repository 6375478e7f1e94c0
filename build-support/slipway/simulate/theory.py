"""What queueing theory says of simple fleets, to hold a simulation against."""

from __future__ import annotations

import math

import numpy as np

from slipway.triton.datatypes import Array


def che_hit_rate(shares: Array, sizes: Array, room: float) -> float:
    """Return the hit rate of a least recently used cache of ``room`` bytes by Che's approximation.

    ``shares`` of the requests and ``sizes`` in bytes are by model; requests are independent.

    A model stays for about the same time T after each use; T is where the expected size of all
    that is kept is the room. Che, Tung and Wang, "Hierarchical Web Caching Systems", IEEE Journal
    on Selected Areas in Communications 20(7), 2002; for sizes: Fricker, Robert and Roberts, "A
    Versatile and Accurate Approximation for LRU Cache Performance", 2012.
    """
    if float(sizes.sum()) <= room:
        return 1.0
    low, high = 0.0, 1.0
    while float((sizes * -np.expm1(-shares * high)).sum()) < room:
        high *= 2
    for _ in range(200):
        middle = (low + high) / 2
        if float((sizes * -np.expm1(-shares * middle)).sum()) < room:
            low = middle
        else:
            high = middle
    return float((shares * -np.expm1(-shares * high)).sum())


def erlang_c(servers: int, load: float) -> float:
    """Return the probability that a request waits in M/M/c: ``load`` is rate × service time."""
    if load >= servers:
        return 1.0
    blocked = 1.0
    for number in range(1, servers + 1):  # Erlang B, by recursion
        blocked = load * blocked / (number + load * blocked)
    return servers * blocked / (servers - load * (1 - blocked))


def mean_wait(servers: int, rate: float, service_s: float, *, constant: bool = False) -> float:
    """Return the mean wait (s) before service in M/M/c.

    With ``constant`` service times and one server it is that of M/D/1, half of M/M/1's
    (Pollaczek and Khinchine).
    """
    load = rate * service_s
    if load >= servers:
        return math.inf
    wait = erlang_c(servers, load) * service_s / (servers - load)
    return wait / 2 if constant else wait
