"""Simulate comparisons that are looked at after each request: false decisions, and requests needed.

The counterpart is McNemar's test at the same risk (the sign test of the pairs that differ), once
repeated at every look, as people do, and once at a number of requests that was fixed before.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from benchmarks.context import BenchmarkContext
from benchmarks.result import Report, Row
from slipway.comparison.sequence import Counted, log_capital
from slipway.triton.datatypes import Array

RISK, LOOKS = 0.05, 10_000
LONGEST = 200_000  # requests
NORMAL_975, NORMAL_80 = 1.959964, 0.841621
# the share of pairs that differ, and how much more often B is right
PAIRS = ((0.1, 0.05), (0.1, 0.02), (0.1, 0.01), (0.02, 0.01))
# the shares of right answers of a split's two groups
GROUPS = ((0.8, 0.9), (0.8, 0.85), (0.8, 0.82))


def measure(context: BenchmarkContext) -> list[Report]:
    """Return the shares of false decisions, and the requests until a right one."""
    runs = 100 if context.quick else 2000
    random = np.random.default_rng(14)
    rows = [_false_decisions(random, differ, runs) for differ in (0.02, 0.1, 0.5)]
    title = f"equal releases decided, of {runs} comparisons looked at {LOOKS:,} times"
    needed = max(20, runs // 10)
    found = [
        _requests(random, (a * (1 - b), b * (1 - a)), f"{a:.0%} and {b:.0%} right", needed)
        for a, b in GROUPS
    ]
    pairs = [
        _requests(
            random,
            ((differ - gain) / 2, (differ + gain) / 2),
            f"{differ:.0%} differ, B right {gain:+.0%}",
            needed,
        )
        for differ, gain in PAIRS
    ]
    return [
        Report(title, "McNemar's test at each look", rows),
        Report(
            "pairs until B is called better, median", "pairs for 80 % power, fixed before", pairs
        ),
        Report("blocks of a split until B is called better, median", "the same", found),
    ]


def _false_decisions(random: np.random.Generator, differ: float, runs: int) -> Row:
    crossing = _crossings(math.ceil(LOOKS * differ * 1.2) + 100)
    ours = theirs = 0
    for _ in range(runs):
        for_a, for_b = _walk(random, differ / 2, differ / 2, LOOKS)
        both = for_a + for_b
        ours += bool(((np.maximum(for_a, for_b) >= crossing[both]) & (both > 0)).any())
        normal = np.abs(for_b - for_a) > NORMAL_975 * np.sqrt(both)
        theirs += bool((normal & (both >= 10)).any())
    sigma = math.sqrt(RISK * (1 - RISK) / runs)
    return Row(
        f"{differ:.0%} of the pairs differ",
        f"{ours / runs:.1%}",
        f"{theirs / runs:.1%}",
        target=f"at most {RISK:.0%}",
        met=ours / runs <= RISK + 3 * sigma,
    )


def _requests(
    random: np.random.Generator, shares: tuple[float, float], what: str, runs: int
) -> Row:
    to_a, to_b = shares  # of decided for A, and for B
    effect, differ = to_b - to_a, to_a + to_b
    fixed = math.ceil(((NORMAL_975 + NORMAL_80) / effect) ** 2 * (differ - effect**2))
    length = min(LONGEST, 8 * fixed)
    crossing = _crossings(math.ceil(length * differ * 1.1) + 100)
    needed = []
    for _ in range(runs):
        for_a, for_b = _walk(random, to_a, to_b, length)
        both = for_a + for_b
        decided = (for_b >= crossing[both]) & (both > 0)
        needed.append(int(np.argmax(decided)) + 1 if decided.any() else length)
    median = int(np.median(needed))
    return Row(what, f"{median:,}", f"{fixed:,}", f"{median / fixed:.2f}×")


def _walk(
    random: np.random.Generator, to_a: float, to_b: float, length: int
) -> tuple[Array, Array]:
    drawn = random.random(length)
    return np.cumsum(drawn < to_a), np.cumsum((drawn >= to_a) & (drawn < to_a + to_b))


@cache
def _crossings(looks: int) -> Array:
    """Return, for each number of pairs that differ, how many for one side decide."""
    limit, needed = math.log(2 / RISK), 1
    crossing = np.full(looks + 1, looks + 1)
    for count in range(1, looks + 1):
        needed = max(needed, count // 2)
        while needed <= count and _capital(count - needed, needed) < limit:
            needed += 1
        crossing[count] = needed
    return crossing


def _capital(lost: int, won: int) -> float:
    return log_capital(Counted(np.array([0.0, 1.0]), np.array([lost, won], float)), 0.5)
