"""Build the lineage of a release from what is recorded of it."""

from __future__ import annotations

from slipway.lineage.collector import Collector
from slipway.lineage.facts import ReleaseFacts
from slipway.lineage.graph import Lineage
from slipway.lineage.release_nodes import add_artifact, add_release
from slipway.lineage.training_nodes import add_training
from slipway.lineage.weights_nodes import add_weights


def build_lineage(facts: ReleaseFacts) -> Lineage:
    """Return the lineage of the release in ``facts``, from its data to the endpoints."""
    graph = Collector()
    record = facts.record
    if facts.training is not None:
        add_training(graph, facts.training, facts.signed_by)
    elif record.training is not None:
        graph.unknown.append(f"what {record.training.id} was trained on: its statement is missing")
    add_weights(graph, facts)
    add_artifact(graph, facts)
    for release in sorted(facts.releases, key=lambda release: release.record.published):
        add_release(graph, release)
    graph.unknown += [f"its evidence is not sound: {problem}" for problem in facts.problems]
    return Lineage(
        record.name,
        record.version,
        record.sha256,
        tuple(graph.nodes.values()),
        tuple(dict.fromkeys(graph.edges)),
        tuple(dict.fromkeys(graph.unknown)),
    )
