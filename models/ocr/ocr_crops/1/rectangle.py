"""The smallest rectangle round points, turned by any angle."""

from typing import Any

import numpy as np


def smallest_rectangle(points: Any, margin: float = 0.0) -> tuple[Any, float]:
    """Return the corners FP64 [4, 2], from the upper left clockwise, and the shorter side.

    One side lies along an edge of the convex hull. With ``margin`` the rectangle is that of the
    points grown by so much in each direction.
    """
    hull = _hull(points)
    edges = np.diff(np.concatenate([hull, hull[:1]]), axis=0)
    lengths = np.hypot(edges[:, 0], edges[:, 1])
    along = edges[lengths > 0] / lengths[lengths > 0, None]
    if not len(along):
        along = np.array([[1.0, 0.0]])
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)
    u, v = hull @ along.T, hull @ across.T
    low_u, high_u = u.min(0) - margin, u.max(0) + margin
    low_v, high_v = v.min(0) - margin, v.max(0) + margin
    best = int(np.argmin((high_u - low_u) * (high_v - low_v)))
    corners = [
        (low_u[best], low_v[best]),
        (high_u[best], low_v[best]),
        (high_u[best], high_v[best]),
        (low_u[best], high_v[best]),
    ]
    turned = np.array(corners) @ np.stack([along[best], across[best]])
    side = min(high_u[best] - low_u[best], high_v[best] - low_v[best])
    return clockwise(turned), float(side)


def clockwise(corners: Any) -> Any:
    """Return four corners from the upper left clockwise: of the two left ones the upper first."""
    by_x = corners[np.argsort(corners[:, 0], kind="stable")]
    left = by_x[:2][np.argsort(by_x[:2, 1], kind="stable")]
    right = by_x[2:][np.argsort(by_x[2:, 1], kind="stable")]
    return np.array([left[0], right[0], right[1], left[1]])


def _hull(points: Any) -> Any:
    """Return the convex hull, by Andrew's monotone chain."""
    ordered = sorted(set(map(tuple, np.asarray(points, dtype=np.float64).tolist())))
    if len(ordered) < 3:
        return np.array(ordered)
    lower, upper = _chain(ordered), _chain(ordered[::-1])
    return np.array(lower[:-1] + upper[:-1])


def _chain(ordered: list[Any]) -> list[Any]:
    chain: list[Any] = []
    for point in ordered:
        while len(chain) > 1 and _turn(chain[-2], chain[-1], point) <= 0:
            chain.pop()
        chain.append(point)
    return chain


def _turn(a: Any, b: Any, c: Any) -> float:
    return float((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))
