"""The row of a model in the summary."""

from __future__ import annotations

import semver

from slipway.loadtest.compare import Ratio
from slipway.pipeline.report.build import ModelReport
from slipway.pipeline.report.view import format as figures
from slipway.pipeline.report.view.elements import Cell, Tone

# a change of a size or a load time by this fraction is highlighted
NOTABLE = 0.10
NOTABLE_LOAD = 0.25
SLOWER = 0.05


def release(model: ModelReport) -> str:
    """Return the change of the release version."""
    if model.version is None:
        return "failed"
    if model.served is None and "production" in model.problems:
        return f"{model.version}, production cannot be read"
    if model.retired:
        return f"{model.version}, retired in production"
    if model.served is None:
        return f"{model.version}, new in production"
    return f"{model.served.version} → {model.version}"


def bump(model: ModelReport) -> Cell:
    """Return whether the release version fits what changed."""
    proposed, served = model.proposed, model.served
    if served is None or proposed is None or model.version is None:
        return Cell("")
    if proposed.part is None:
        return Cell("only the version changed")
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
    """Return the artifact's size, and how it changed."""
    assert model.size is not None
    now = model.size.artifact
    if model.served is None or model.served.size is None:
        return Cell(figures.megabytes(now))
    change = figures.change(now, model.served.size.artifact, NOTABLE)
    return Cell(f"{figures.megabytes(now)} ({change.text})", change.tone)


def load(model: ModelReport) -> Cell:
    """Return the median of its load times, compared with production's."""
    if model.measured is None:
        return figures.DASH
    now, before = model.measured.loads.medians
    change = load_change(model)
    text = figures.seconds(now) if before is None else f"{figures.seconds(now)} ({change.text})"
    return Cell(text, change.tone)


def load_change(model: ModelReport) -> Cell:
    """Return how the load time changed, highlighted only if all loads differ: they vary a lot."""
    assert model.measured is not None
    loads = model.measured.loads
    now, before = loads.medians
    if before is None:
        return figures.DASH
    change = figures.change(now, before, NOTABLE_LOAD)
    apart = min(loads.candidate) > max(loads.served) or max(loads.candidate) < min(loads.served)
    return change if apart else Cell(change.text)


def latency(model: ModelReport, level: str) -> Cell:
    """Return the latency at ``level``, p50 or p99, and how it changed."""
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
    """Return the candidate's latency divided by production's."""
    compared = (
        model.measured.latency.compared if model.measured and model.measured.latency else None
    )
    if compared is None:
        return None
    return compared.median if level == "p50" else compared.p99


def outputs(model: ModelReport) -> Cell:
    """Return how its answers differ from production's."""
    outputs = model.measured.outputs if model.measured else None
    if outputs is None:
        return figures.DASH
    if outputs.same:
        return Cell("unchanged", "good")
    parts = []
    labels = len(outputs.labels) + outputs.more_labels
    if labels:
        parts.append(f"{figures.count_of(labels, 'label')} changed")
    if outputs.errors:
        parts.append(f"{figures.count_of(len(outputs.errors), 'error')} in only one release")
    for tensor in outputs.tensors:
        if tensor.said:
            parts.append(f"{tensor.tensor} {tensor.said}")
        elif tensor.changed and tensor.largest is not None:
            parts.append(f"{tensor.tensor} ±{tensor.largest:.3g}")
    return Cell(", ".join(parts), "bad" if outputs.errors else "note" if labels else "")


def metrics(model: ModelReport) -> Cell:
    """Return how many metrics are refused, better or worse."""
    if not model.metrics:
        return figures.DASH
    refused = [metric.name for metric in model.metrics if metric.state == "refused"]
    if refused:
        which = refused[0] if len(refused) == 1 else str(len(refused))
        return Cell(f"{which} refused", "bad")
    better = sum(metric.state == "better" for metric in model.metrics)
    worse = sum(metric.state == "allowed" for metric in model.metrics)
    counts = ((better, "better"), (worse, "worse, allowed"))
    parts = [f"{count} {what}" for count, what in counts if count]
    return Cell(", ".join(parts) or "no worse", "good" if better and not worse else "")


def tests(model: ModelReport) -> Cell:
    """Return the result of the tests of exactly this artifact."""
    if model.tested is None:
        return Cell("not run", "note")
    result = model.tested
    if result.passed:
        return Cell(f"{result.tests} passed", "good")
    return Cell(
        f"{result.failures} of {result.tests} failed" if result.failures else "not passed", "bad"
    )


def check(model: ModelReport) -> Cell:
    """Return the number of findings in its folder."""
    findings = model.findings
    if findings is None:
        return figures.DASH
    counts = ((findings.errors, "error"), (findings.warnings, "warning"))
    parts = [figures.count_of(count, what) for count, what in counts if count]
    tone: Tone = "bad" if findings.errors else "" if parts else "good"
    return Cell(", ".join(parts) or "no mistakes", tone)
