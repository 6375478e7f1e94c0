"""Add the weights of a release to a lineage, and where each of them is from."""

from __future__ import annotations

from typing import Any

from slipway.catalog.weights_source import WeightsSource
from slipway.lineage.collector import Collector
from slipway.lineage.facts import ReleaseFacts

BEFORE = (
    "it was published before releases recorded their training: from which data and by which run its"
    " weights were made is not known"
)


def add_weights(graph: Collector, facts: ReleaseFacts) -> None:
    """Add each file of weights, and the run, package or commit that it is from."""
    record = facts.record
    conversion = record.manifest.conversion
    results = {entry["md5"] for entry in (conversion or {}).get("files", {}).values()}
    if record.manifest.weights and record.weights_from is None:
        graph.unknown.append(BEFORE)
    for path, entry in sorted(record.manifest.weights.items()):
        weights = graph.add("weights", path, path, md5=entry["md5"], size=entry.get("size"))
        default = WeightsSource("unknown") if record.weights_from is not None else None
        source = (record.weights_from or {}).get(path, default)
        first = weights
        if conversion is not None and entry["md5"] in results:
            first = _add_conversion(graph, conversion, weights)
        if source is not None:
            _add_origin(graph, facts, source, first, path)


def _add_conversion(graph: Collector, conversion: dict[str, Any], weights: str) -> str:
    """Add the conversion to ``weights``; return the node of the file that was converted."""
    source = conversion["source"]
    original = graph.add(
        "original", source["name"], f"original/{source['name']}",
        md5=source["md5"], sha256=source["sha256"], size=source["size"],
    )  # fmt: skip
    step = graph.add(
        "conversion", source["name"], f"{conversion['format']} → {conversion['backend']}",
        difference=conversion.get("difference"), tolerance=conversion.get("tolerance"),
        versions=dict(conversion.get("versions", {})), lock=conversion.get("lock"),
    )  # fmt: skip
    graph.link([original], step)
    graph.link([step], weights)
    return original


def _add_origin(
    graph: Collector, facts: ReleaseFacts, source: WeightsSource, target: str, path: str
) -> None:
    if source.kind == "training":
        run = facts.record.training
        if facts.training is None:
            if run is not None:  # its statement is missing or damaged
                node = graph.add("run", run.id, run.id, place=run.place, sha256=run.sha256)
                graph.link([node], target, "wrote")
            return
        stages = [
            f"stage:{stage.name}"
            for stage in facts.training.run.stages
            if any(out.path == source.path for out in stage.outs)
        ]
        graph.link(stages[-1:], target, str(source.path).rpartition("/")[2])
    elif source.kind == "prebuilt":
        packages = ", ".join(f"{name} {version}" for name, version in source.packages.items())
        node = graph.add(
            "origin", f"prebuilt:{packages}", f"prebuilt: {packages}",
            prebuilt=source.prebuilt, packages=dict(source.packages),
            licences=list(source.licences),
        )  # fmt: skip
        graph.link([node], target, "taken from")
        graph.unknown.append(f"on what {packages} was trained is not known here")
        if not source.licences:
            graph.unknown.append(f"no licence of {packages} is in the artifact")
    elif source.kind == "commit":
        commit = str(source.commit)
        node = graph.add(
            "origin", f"commit:{commit}:{source.path}", f"added by commit {commit[:7]}",
            commit=commit, when=source.when, by=source.by, subject=source.subject,
            pointer=source.path,
        )  # fmt: skip
        graph.link([node], target, "added")
        graph.unknown.append(
            f"from which training {path} is: commit {commit[:7]} added it, and names none"
        )
    else:
        graph.unknown.append(f"where {path} is from: no commit of its pointer was known")
