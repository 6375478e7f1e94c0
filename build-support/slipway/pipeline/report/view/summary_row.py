"""The row of a model: what a reader sees first."""

from __future__ import annotations

import semver

from slipway.loadtest.compare import Ratio
from slipway.pipeline.report.build import ModelReport
from slipway.pipeline.report.view import format as figures
from slipway.pipeline.report.view.elements import Cell

# a change of a size or a load of so much is pointed out
NOTABLE = 0.10
NOTABLE_LOAD = 0.25
SLOWER = 0.05


def release(model: ModelReport) -> str:
    """What becomes of the release version."""
    if model.version is None:
        return "failed"
    if model.served is None and "production" in model.problems:
        return f"{model.version}, production cannot be read"
    if model.served is None:
        return f"{model.version}, new in production"
    return f"{model.served.version} → {model.version}"


def bump(model: ModelReport) -> Cell:
    """Whether the release version fits what changed."""
    proposed, served = model.proposed, model.served
    if served is None or proposed is None or model.version is None:
        return Cell("")
    if proposed.part is None:
        return Cell("nothing but the version changed")
    if _number(model.version) < _number(proposed.version):
        return Cell(
            f"the changes are {proposed.part}: {proposed.version} or higher"
            f" (slipway bump {model.name})",
            "bad",
        )
    return Cell(f"the changes are {proposed.part}, {model.version} fits", "good")


def _number(version: str) -> tuple[int, ...]:
    return semver.Version.parse(version).to_tuple()[:3]


def size(model: ModelReport) -> Cell:
    """The artifact's."""
    assert model.size is not None
    now = model.size.artifact
    if model.served is None or model.served.size is None:
        return Cell(figures.megabytes(now))
    change = figures.change(now, model.served.size.artifact, NOTABLE)
    return Cell(f"{figures.megabytes(now)} ({change.text})", change.tone)


def load(model: ModelReport) -> Cell:
    """The median of its loads, beside that of production's."""
    if model.measured is None:
        return figures.DASH
    now, before = model.measured.loads.medians
    change = load_change(model)
    said = figures.seconds(now) if before is None else f"{figures.seconds(now)} ({change.text})"
    return Cell(said, change.tone)


def load_change(model: ModelReport) -> Cell:
    """A load is never twice the same: pointed out is only what is far off, each time."""
    assert model.measured is not None
    loads = model.measured.loads
    now, before = loads.medians
    if before is None:
        return figures.DASH
    found = figures.change(now, before, NOTABLE_LOAD)
    apart = min(loads.candidate) > max(loads.served) or max(loads.candidate) < min(loads.served)
    return found if apart else Cell(found.text)


def latency(model: ModelReport, level: str) -> Cell:
    """``level`` is p50 or p99."""
    latency = model.measured.latency if model.measured else None
    if latency is None:
        return figures.DASH
    value = getattr(latency.candidate, level)
    if value is None:
        return figures.DASH
    ratio = ratio_of(model, level)
    if ratio is None:
        return Cell(figures.milliseconds(value))
    change = f"{figures.milliseconds(value)} ({figures.percent(ratio.ratio)})"
    if ratio.slower_by(SLOWER):
        return Cell(f"{change} slower", "note")
    return Cell(f"{change} faster", "good") if ratio.verdict == "faster" else Cell(change)


def ratio_of(model: ModelReport, level: str) -> Ratio | None:
    """The candidate's latency divided by production's."""
    compared = (
        model.measured.latency.compared if model.measured and model.measured.latency else None
    )
    if compared is None:
        return None
    return compared.median if level == "p50" else compared.p99


def outputs(model: ModelReport) -> Cell:
    """How its answers differ from production's."""
    found = model.measured.outputs if model.measured else None
    if found is None:
        return figures.DASH
    if found.same:
        return Cell("the same", "good")
    said = []
    labels = len(found.labels) + found.more_labels
    if labels:
        said.append(f"{labels} {'label' if labels == 1 else 'labels'} changed")
    if found.errors:
        said.append(f"{figures.counted(len(found.errors), 'error')} in one of the two")
    for tensor in found.tensors:
        if tensor.said:
            said.append(f"{tensor.tensor} {tensor.said}")
        elif tensor.changed and tensor.largest is not None:
            said.append(f"{tensor.tensor} ±{tensor.largest:.3g}")
    return Cell(", ".join(said), "bad" if found.errors else "note" if labels else "")


def metrics(model: ModelReport) -> Cell:
    """Whether one is refused, better or worse."""
    if not model.metrics:
        return figures.DASH
    refused = [metric.name for metric in model.metrics if metric.state == "refused"]
    if refused:
        which = refused[0] if len(refused) == 1 else str(len(refused))
        return Cell(f"{which} refused", "bad")
    better = sum(metric.state == "better" for metric in model.metrics)
    worse = sum(metric.state == "allowed" for metric in model.metrics)
    said = [
        f"{count} {what}"
        for count, what in ((better, "better"), (worse, "worse, allowed"))
        if count
    ]
    return Cell(", ".join(said) or "no worse", "good" if better and not worse else "")


def tests(model: ModelReport) -> Cell:
    """How the run on exactly this artifact went."""
    if model.tested is None:
        return Cell("not run", "note")
    tested = model.tested
    if tested.passed:
        return Cell(f"{tested.tests} passed", "good")
    return Cell(
        f"{tested.failures} of {tested.tests} failed" if tested.failures else "not passed", "bad"
    )


def checked(model: ModelReport) -> Cell:
    """How many mistakes are found in its folder."""
    found = model.findings
    if found is None:
        return figures.DASH
    counts = ((found.errors, "error"), (found.warnings, "warning"))
    said = [f"{count} {what}{'' if count == 1 else 's'}" for count, what in counts if count]
    return Cell(", ".join(said) or "no mistakes", "bad" if found.errors else "" if said else "good")
