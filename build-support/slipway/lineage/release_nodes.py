"""Add the artifact to a lineage, its releases, and where they are served."""

from __future__ import annotations

from slipway.catalog.commit import DIRTY
from slipway.lineage.collector import Collector
from slipway.lineage.facts import ReleaseFacts, StoredRelease
from slipway.release.evidence.training import AttestedTraining


def add_artifact(graph: Collector, facts: ReleaseFacts) -> None:
    """Add the artifact, made of the weights and of what the run wrote besides."""
    record, manifest = facts.record, facts.record.manifest
    commit = None if record.commit is None else record.commit.removesuffix(DIRTY)
    artifact = graph.add(
        "artifact", record.sha256, f"{manifest.name}_{manifest.version}.tar.gz",
        sha256=record.sha256, size=record.size, commit=commit,
        dirty=True if (record.commit or "").endswith(DIRTY) else None,
        pipeline=record.origin.pipeline, builder=manifest.builder, metrics=record.metrics,
    )  # fmt: skip
    graph.link((node.id for node in list(graph.nodes.values()) if node.kind == "weights"), artifact)
    if facts.training is not None:
        for name in facts.training.subjects:
            if name in manifest.sources:  # a packed file that a stage wrote, and no weights
                graph.link(_writers(facts.training, name), artifact, name.rpartition("/")[2])
    if commit is None:
        graph.unknown.append("from which commit it was built")


def _writers(attested: AttestedTraining, name: str) -> list[str]:
    md5 = f"md5:{attested.subjects[name].get('md5')}"
    return [
        f"stage:{stage.name}"
        for stage in attested.run.stages
        if any(out.hash == md5 for out in stage.outs)
    ]


def add_release(graph: Collector, release: StoredRelease) -> None:
    """Add the release in one stage, the alias that serves it, and that stage's endpoints."""
    record, stage = release.record, release.stage
    node = graph.add(
        "release", f"{stage}:{record.target}", f"{stage}: {record.target}",
        stage=stage, target=record.target, published=record.published, by=record.origin.by,
        pipeline=record.origin.pipeline, pruned=release.pruned or None,
    )  # fmt: skip
    graph.link([f"artifact:{record.sha256}"], node, "promoted" if record.source else "published")
    alias = release.alias
    if alias is None or record.target not in alias.all_targets:
        graph.unknown.append(f"no alias of {stage} serves {record.target} now")
        return
    total = sum(variant.weight for variant in alias.variants)
    weight = next((v.weight for v in alias.variants if v.target == record.target), 0)
    share = "shadow" if not weight else f"{100 * weight / total:.3g} %"
    served = graph.add(
        "alias", f"{stage}:{record.name}", f"{stage} alias {record.name}", stage=stage, share=share
    )
    graph.link([node], served, share)
    for entry in release.endpoints:
        place = entry.endpoint_name or "on this machine"
        endpoint = graph.add(
            "endpoint", entry.name, f"endpoint {entry.name}", stage=stage,
            endpoint_name=entry.endpoint_name, region=entry.region, place=place,
        )  # fmt: skip
        graph.link([served], endpoint)
