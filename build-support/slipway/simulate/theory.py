"""What theory says of a cache of models, to compare a simulation with."""

from __future__ import annotations

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
