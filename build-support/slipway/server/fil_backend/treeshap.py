"""SHAP values of a forest's inputs, of which the native backend has code for GPUs and CPUs.

fil_backend, src/cpu_treeshap_model.h: path-dependent TreeSHAP, in float64 here and there. For one
leaf of value v whose path tests the features i, with z_i the share of the training's rows that go
the path's way at all tests of i, and o_i = 1 where the row does, else 0, feature j gets
v · (o_j − z_j) · ∫₀¹ ∏_{i≠j} (z_i (1−s) + o_i s) ds: the sum over all subsets with Shapley's
weights k! (m−1−k)! / m!, which are that integral of s^k (1−s)^(m−1−k). Gauss's points integrate
the polynomial exactly.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.polynomial.legendre import leggauss

from slipway.server.fil_backend import forest as forests
from slipway.server.fil_backend.forest import Forest

type Array = np.ndarray[Any, Any]

GAUSS: Any = leggauss  # numpy does not say its types
DEEPEST = 32
NUMBERS = 1 << 21  # in one array: 16 MiB


@dataclass(frozen=True)
class _Leaf:
    """A leaf: of each feature on its path, the tests (node, whether left) and their share."""

    tests: Mapping[int, list[tuple[int, bool]]]
    shares: Mapping[int, float]
    values: Mapping[int, float]  # by class


@dataclass(frozen=True)
class _Group:
    """All leaves whose paths test as many features: arrays of leaves × features."""

    nodes: Array  # of all tests, in the order of `starts`
    left: Array
    starts: Array  # of each leaf's and feature's tests
    features: Array
    shares: Array
    values: Array  # leaves × classes


class TreeShap:
    """The contributions of a forest's features. Built once, when the model is loaded."""

    def __init__(self, forest: Forest, *, several_base_scores: bool) -> None:
        """Read the trees.

        Raises:
            ValueError: the native backend refuses the model, or ends the whole server.
        """
        self._forest = forest
        header = forest.model.get_header_accessor()
        self._base = np.asarray(header.get_field("base_scores"), np.float32)
        if not several_base_scores and len(set(self._base.tolist())) > 1:
            raise ValueError(
                "Vector base_scores not supported: NVIDIA's backend ends the whole server with it"
            )
        self._trees = forests.trees_of(forest.model)
        self._first = np.cumsum([0, *(len(tree["cleft"]) for tree in self._trees)])
        vectors = int(header.get_field("leaf_vector_shape")[1]) > 1
        self._scale = 1 / _average(header, len(self._trees), forest.classes, vectors)
        self._bias = np.zeros(forest.classes)
        by_size: dict[int, list[_Leaf]] = {}
        for index, tree in enumerate(self._trees):
            for leaf, weight in _leaves(tree, self._first[index], index, forest.classes, vectors):
                for number, value in leaf.values.items():
                    self._bias[number] += weight * value
                by_size.setdefault(len(leaf.tests), []).append(leaf)
        by_size.pop(0, None)
        self._groups = [_group(leaves, forest.classes) for leaves in by_size.values()]

    def values(self, rows: Array) -> Array:
        """Return rows × classes × (features + 1): each feature's share, then the mean answer."""
        result = np.zeros((len(rows), self._forest.classes, self._forest.features + 1))
        result[:, :, -1] = self._bias
        biggest = max((group.features.size for group in self._groups), default=1)
        step = max(1, NUMBERS // biggest)
        for start in range(0, len(rows), step):
            part = slice(start, start + step)
            goes_left = np.concatenate([_decide(tree, rows[part]) for tree in self._trees], axis=1)
            for group in self._groups:
                _add(group, goes_left, result[part])
        result *= self._scale
        result[:, :, -1] += self._base
        return result.astype(np.float32)


def _average(header: Any, trees: int, classes: int, vectors: bool) -> float:
    if not header.get_field("average_tree_output")[0]:
        return 1.0
    one_class = int(header.get_field("task_type")[0]) == forests.MULTI_CLASS and not vectors
    return float(trees // classes) if one_class else float(trees)


def _decide(tree: Mapping[str, Array], rows: Array) -> Array:
    """Return rows × nodes: whether the row goes left; meaningless at leaves."""
    values = rows[:, np.maximum(tree["split_index"], 0)]
    compare, threshold = tree["cmp"], tree["threshold"]
    left = np.select(
        [compare == number for number in (forests.LT, forests.LE, forests.EQ, forests.GT)],
        [values < threshold, values <= threshold, values == threshold, values > threshold],
        values >= threshold,
    )
    for node in np.flatnonzero(tree["node_type"] == forests.CATEGORICAL):
        begin, end = tree["category_list_begin"][node], tree["category_list_end"][node]
        column = values[:, node]
        fits = (column >= 0) & (column <= 1 << 24)
        number = np.where(fits, column, 0).astype(np.int64)
        matches = fits & np.isin(number, tree["category_list"][int(begin) : int(end)])
        left[:, node] = matches != bool(tree["category_list_right_child"][node])
    return np.where(np.isnan(values), tree["default_left"].astype(bool), left)


def _leaves(
    tree: Mapping[str, Array], first: int, index: int, classes: int, vectors: bool
) -> Iterator[tuple[_Leaf, float]]:
    """Yield each leaf of a tree, with the share of the training's rows that reach it."""
    counts = _counts(tree)
    stack: list[tuple[int, int, dict[int, list[tuple[int, bool]]], dict[int, float]]]
    stack = [(0, 0, {}, {})]
    while stack:
        node, depth, tests, shares = stack.pop()
        if depth >= DEEPEST:
            raise ValueError(
                "Tree depths above 32 not supported. Shap cannot be considered accurate at this"
                " depth."
            )
        if tree["cleft"][node] < 0:
            weight = counts[node] / counts[0] if counts is not None else 0.0
            yield _Leaf(tests, shares, _values(tree, node, index, classes, vectors)), weight
            continue
        if counts is None:
            raise ValueError("Model does not have node statistics.")
        feature = int(tree["split_index"][node])
        for side, is_left in (("cleft", True), ("cright", False)):
            child, test = int(tree[side][node]), (first + node, is_left)
            share = shares.get(feature, 1.0) * counts[child] / counts[node]
            stack.append(
                (
                    child,
                    depth + 1,
                    {**tests, feature: [*tests.get(feature, []), test]},
                    {**shares, feature: share},
                )
            )


def _counts(tree: Mapping[str, Array]) -> Array | None:
    """Return how many of the training's rows, by weight, reach each node, if the file says it."""
    for name in ("sum_hess", "data_count"):
        present = tree[f"{name}_present"]
        if present.size and present.all():
            return tree[name].astype(np.float64)
    return None


def _values(
    tree: Mapping[str, Array], node: int, index: int, classes: int, vectors: bool
) -> dict[int, float]:
    if not vectors:
        # one class a tree, by turns, whatever the file says
        return {index % classes: float(tree["leaf_value"][node])}
    begin = int(tree["leaf_vector_begin"][node])
    return {number: float(tree["leaf_vector"][begin + number]) for number in range(classes)}


def _group(leaves: list[_Leaf], classes: int) -> _Group:
    tests = [tests for leaf in leaves for tests in leaf.tests.values()]
    flat = [test for each in tests for test in each]
    values = np.zeros((len(leaves), classes))
    for row, leaf in enumerate(leaves):
        for number, value in leaf.values.items():
            values[row, number] = value
    return _Group(
        np.array([node for node, _ in flat]),
        np.array([left for _, left in flat]),
        np.cumsum([0, *(len(each) for each in tests)])[:-1],
        np.array([list(leaf.tests) for leaf in leaves]),
        np.array([list(leaf.shares.values()) for leaf in leaves]),
        values,
    )


def _add(group: _Group, goes_left: Array, result: Array) -> None:
    """Add the leaves' contributions to ``result``, rows × classes × features."""
    agrees = goes_left[:, group.nodes] == group.left
    leaves, size = group.features.shape
    ones = np.logical_and.reduceat(agrees, group.starts, axis=1)
    ones = ones.reshape(-1, leaves, size).astype(np.float64)
    points, weights = GAUSS((size + 1) // 2)
    total = np.zeros_like(ones)
    for point, weight in zip((points + 1) / 2, weights / 2, strict=True):
        factors = group.shares * (1 - point) + ones * point
        before = np.cumprod(factors, axis=2)
        after = np.cumprod(factors[:, :, ::-1], axis=2)[:, :, ::-1]
        others = np.ones_like(factors)
        others[:, :, 1:] *= before[:, :, :-1]
        others[:, :, :-1] *= after[:, :, 1:]
        total += weight * others
    total *= ones - group.shares
    for number in range(group.values.shape[1]):
        part = total * group.values[:, number, None]
        for row, parts in enumerate(part.reshape(len(part), -1)):
            result[row, number, :-1] += np.bincount(
                group.features.ravel(), parts, minlength=result.shape[2] - 1
            )
