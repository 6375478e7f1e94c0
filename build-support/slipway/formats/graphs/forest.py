"""Write the ONNX graph of a forest that treelite has read, whatever library trained it.

onnxmltools is not used: it knows no dart weights, no several targets, no early stopping in a file
and no names but f0, f1 …; treelite reads all of them, and FIL uses it too.
Sources: treelite's ``include/treelite/tree.h`` and its GTIL (``predict.cc``); ONNX's
TreeEnsembleRegressor of ai.onnx.ml 3.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from slipway.formats.format import Array

if TYPE_CHECKING:
    import treelite
    from onnx import NodeProto

LEAF, NUMERICAL, CATEGORICAL = 0, 1, 2  # TreeNodeType
# Operator: a row goes left if the comparison holds
MODES = {1: "BRANCH_EQ", 2: "BRANCH_LT", 3: "BRANCH_LEQ", 4: "BRANCH_GT", 5: "BRANCH_GTE"}
# the attributes of each node, then those of each score
INTS = (
    *("nodes_treeids", "nodes_nodeids", "nodes_featureids", "nodes_truenodeids"),
    *("nodes_falsenodeids", "nodes_missing_value_tracks_true"),
    *("target_treeids", "target_nodeids", "target_ids"),
)
# categories are compared after this was added: ONNX Runtime 1.21 and 1.22 (Triton 25.03 to 25.07)
# join comparisons with several categories into one, and forget category 0 (1.20 and 1.24 do not)
SHIFT = 1
# float32 inputs compare alike with the nearest float32 of a float64 threshold on this side
UP = ("BRANCH_LT", "BRANCH_GTE")


@dataclass
class Nodes:
    """The attributes of TreeEnsembleRegressor, one entry a node or a leaf's score."""

    modes: list[str] = field(default_factory=list)
    ints: dict[str, list[int]] = field(default_factory=lambda: {name: [] for name in INTS})
    values: list[float] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)

    def branch(
        self,
        place: tuple[int, int],
        mode: str,
        feature: int,
        value: float,
        sides: tuple[int, int],
        missing: bool,
    ) -> None:
        """Add a node at ``place``, (tree, number), with its true and false side."""
        row = (*place, feature, *sides, int(missing))
        for name, entry in zip(INTS, row, strict=False):
            self.ints[name].append(entry)
        self.modes.append(mode)
        self.values.append(value)

    def leaf(self, place: tuple[int, int], scores: dict[int, float]) -> None:
        """Add a leaf with the ``scores`` of its targets."""
        self.branch(place, "LEAF", 0, 0.0, (0, 0), False)
        for target, score in scores.items():
            self.ints["target_treeids"].append(place[0])
            self.ints["target_nodeids"].append(place[1])
            self.ints["target_ids"].append(target)
            self.weights.append(score)


def forest_node(model: treelite.Model, targets: int, source: str, output: str) -> NodeProto:
    """Return the node that sums the trees, to [rows, ``targets``], without base scores."""
    from onnx import helper

    header = model.get_header_accessor()
    target_ids, class_ids = header.get_field("target_id"), header.get_field("class_id")
    widest = int(max(header.get_field("num_class")))
    numbers = np.arange(targets).reshape(-1, widest)
    nodes = Nodes()
    for number in range(model.num_tree):
        target, of_class = int(target_ids[number]), int(class_ids[number])
        rows = slice(None) if target < 0 else slice(target, target + 1)
        columns = slice(None) if of_class < 0 else slice(of_class, of_class + 1)
        scored = numbers[rows, columns].ravel()
        _add_tree(nodes, number, _Tree(model.get_tree_accessor(number)), scored)
    attributes: dict[str, Any] = {
        "n_targets": targets,
        "aggregate_function": "SUM",
        "post_transform": "NONE",
        "nodes_modes": nodes.modes,
        "nodes_values": nodes.values,
        "target_weights": nodes.weights,
        **nodes.ints,
    }
    kind = "TreeEnsembleRegressor"
    return helper.make_node(kind, [source], [output], domain="ai.onnx.ml", **attributes)


class _Tree:
    """The arrays of one tree."""

    def __init__(self, accessor: treelite.model.TreeAccessor) -> None:
        read = accessor.get_field
        self.kind, self.left, self.right = read("node_type"), read("cleft"), read("cright")
        self.feature, self.default_left = read("split_index"), read("default_left")
        self.cmp, self.threshold = read("cmp"), read("threshold")
        self.score, self.scores = read("leaf_value"), read("leaf_vector")
        self.scores_from, self.scores_to = read("leaf_vector_begin"), read("leaf_vector_end")
        self.listed_goes_right = read("category_list_right_child")
        self.listed = read("category_list")
        self.listed_from, self.listed_to = read("category_list_begin"), read("category_list_end")

    def targets(self, node: int, scored: Array) -> dict[int, float]:
        """Return the scores of a leaf, one for each target that the tree scores."""
        begin, end = int(self.scores_from[node]), int(self.scores_to[node])
        scores = self.scores[begin:end] if begin != end else self.score[node : node + 1]
        return {int(to): float(score) for to, score in zip(scored, scores, strict=True)}


def _add_tree(nodes: Nodes, number: int, tree: _Tree, scored: Array) -> None:
    spare = len(tree.kind)  # numbers of the nodes that chains of categories need
    for node, kind in enumerate(tree.kind):
        left, right = int(tree.left[node]), int(tree.right[node])
        if kind == LEAF or left < 0:
            nodes.leaf((number, node), tree.targets(node, scored))
        elif kind == NUMERICAL:
            mode = MODES[int(tree.cmp[node])]
            value = nearest(tree.threshold[node], mode)
            feature = int(tree.feature[node])
            missing = bool(tree.default_left[node])
            nodes.branch((number, node), mode, feature, value, (left, right), missing)
        else:
            spare = _add_categories(nodes, (number, node), tree, spare)


def _add_categories(nodes: Nodes, place: tuple[int, int], tree: _Tree, spare: int) -> int:
    """Add a chain of comparisons with each listed category, and return the next free number.

    ONNX Runtime joins such a chain into one test of membership.
    """
    number, node = place
    left, right = int(tree.left[node]), int(tree.right[node])
    hit, other = (right, left) if tree.listed_goes_right[node] else (left, right)
    listed = tree.listed[int(tree.listed_from[node]) : int(tree.listed_to[node])]
    missing_hits = (left if tree.default_left[node] else right) == hit
    feature = int(tree.feature[node])
    # no category at all: nothing equals a number that is none
    values = [float(value) + SHIFT for value in listed] or [-1.0]
    current = node
    for index, value in enumerate(values):
        following = other if index == len(values) - 1 else spare
        place = (number, current)
        nodes.branch(place, "BRANCH_EQ", feature, value, (hit, following), missing_hits)
        if following == spare:
            current, spare = spare, spare + 1
    return spare


def category_columns(model: treelite.Model) -> set[int]:
    """Return the columns whose values are compared with categories."""
    columns: set[int] = set()
    for number in range(model.num_tree):
        read = model.get_tree_accessor(number).get_field
        columns |= set(read("split_index")[read("node_type") == CATEGORICAL].tolist())
    return columns


def nearest(threshold: Any, mode: str) -> float:
    """Return the float32 with which each float32 compares as with ``threshold``, a float64."""
    exact = float(threshold)
    rounded = np.float32(exact)
    if mode in UP and float(rounded) < exact:
        rounded = np.nextafter(rounded, np.float32(np.inf))
    elif mode not in UP and float(rounded) > exact:
        rounded = np.nextafter(rounded, np.float32(-np.inf))
    return float(rounded)


def average_factor(model: treelite.Model) -> Array:
    """Return what the sums of the trees are divided by, one number a target; 1 of boosted trees."""
    header = model.get_header_accessor()
    classes = [int(count) for count in header.get_field("num_class")]
    shape = (len(classes), max(classes))
    if not header.get_field("average_tree_output")[0]:
        return np.ones(shape)
    factor = np.zeros(shape)
    targets, of_class = header.get_field("target_id"), header.get_field("class_id")
    for target, class_id in zip(targets, of_class, strict=True):
        rows = slice(None) if target < 0 else int(target)
        columns = slice(None) if class_id < 0 else int(class_id)
        factor[rows, columns] += 1
    return factor
