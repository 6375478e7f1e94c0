"""What queueing theory says of simple fleets, to hold a simulation against."""

from __future__ import annotations

import math


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
