"""A report as tables, words and bars: what its two templates, Markdown and HTML, have in common.

Texts are plain here; each template escapes them in its own way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

import semver

from slipway.loadtest.compare import Ratio
from slipway.loadtest.percentile import needed
from slipway.pipeline.report import ModelReport, Report
from slipway.release.evaluation import Compared

# note: somebody should look; bad: this must not go to production as it is
Tone = Literal["", "good", "note", "bad"]
# a change of a size or a load of so much is pointed out
NOTABLE = 0.10
NOTABLE_LOAD = 0.25
SLOWER = 0.05
CHANGES = 60  # that are listed
METRICS = 8  # without a rule, that are listed


@dataclass(frozen=True)
class Cell:
    """A text; ``code`` is a name as it stands in a file."""

    text: str
    tone: Tone = ""
    code: bool = False


@dataclass(frozen=True)
class Bar:
    """A quantity of production and of the branch, and how it changed. Lengths are parts of 1."""

    label: str
    served: str | None
    candidate: str
    served_length: float
    candidate_length: float
    change: Cell


@dataclass(frozen=True)
class Whisker:
    """A ratio and the interval that it lies in, as parts of the axis from ``low`` to ``high``."""

    label: str
    said: Cell
    low: float
    at: float
    high: float


@dataclass(frozen=True)
class Axis:
    """From ``low`` to ``high``, in percent; ``same`` is the part of it where nothing changed."""

    low: str
    high: str
    same: float


@dataclass(frozen=True)
class Section:
    """A part of a model's report. ``bars`` and ``whiskers`` repeat as a picture what ``rows`` say."""

    title: str
    lines: tuple[Cell, ...] = ()
    heads: tuple[str, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    code: tuple[tuple[str, str], ...] = ()
    bars: tuple[Bar, ...] = ()
    whiskers: tuple[Whisker, ...] = ()
    axis: Axis | None = None


@dataclass(frozen=True)
class ModelView:
    """One model: ``release`` is what becomes of its release version; ``cells`` are its row."""

    name: str
    release: str
    cells: tuple[Cell, ...]
    sections: tuple[Section, ...]


@dataclass(frozen=True)
class View:
    """A whole report. ``headline`` stands first."""

    headline: str
    tone: Tone
    heads: tuple[str, ...]
    models: tuple[ModelView, ...]
    lines: tuple[Cell, ...]
    foot: str
    failed: bool = field(default=False)


HEADS = ("Model", "Release", "Size", "Load", "p50", "p99", "Outputs", "Metrics", "Tests", "Check")
DASH = Cell("–")
NARROW = "\u00a0"  # a space that no line ends at
SAME = ("same", f"±0{NARROW}%")


def view(report: Report) -> View:
    """What there is to show of ``report``."""
    lines = []
    if report.deleted:
        lines.append(Cell(f"Deleted by this branch: {', '.join(report.deleted)}.", "note"))
    if report.unchanged:
        lines.append(Cell(f"Unchanged, byte for byte: {', '.join(report.unchanged)}."))
    lines += [Cell(note, "bad") for note in report.notes]
    return View(
        _headline(report),
        "bad" if report.failed else "",
        HEADS,
        tuple(map(_model, report.models)),
        tuple(lines),
        _foot(report),
        report.failed,
    )


def _headline(report: Report) -> str:
    failed = [m for m in report.models if m.failed]
    built = [model for model in report.models if not model.failed]
    new = [m for m in built if m.served is None and "production" not in m.problems]
    changed = [model for model in built if model not in new]
    counts = [
        (len(changed), "changed"),
        (len(new), "new"),
        (len(report.deleted), "deleted"),
        (len(failed), "failed"),
        (len(report.unchanged), "unchanged"),
    ]
    said = [f"{count} {what}" for count, what in counts if count]
    if not said:
        return "No model is affected"
    total = sum(count for count, _ in counts)
    head = f"{total} {'model' if total == 1 else 'models'}: {', '.join(said)}"
    if len(changed) == 1 and len(said) == 1:
        return f"{changed[0].name} {_release(changed[0])}"
    return head


def _release(model: ModelReport) -> str:
    if model.version is None:
        return "failed"
    if model.served is None and "production" in model.problems:
        return f"{model.version}, production cannot be read"
    if model.served is None:
        return f"{model.version}, new in production"
    return f"{model.served.version} → {model.version}"


def _foot(report: Report) -> str:
    commit = f"commit {report.origin.commit[:8]}" if report.origin.commit else "no commit"
    server = f", measured on {report.source}" if report.source else ""
    return f"{commit}{server}"


def _model(model: ModelReport) -> ModelView:
    release = _release(model)
    if model.failed:
        row = (Cell(model.name, code=True), Cell("failed", "bad"), *[DASH] * (len(HEADS) - 2))
        return ModelView(model.name, release, row, (_problems(model),))
    cells = (
        Cell(model.name, code=True),
        Cell(release, _bump(model).tone),
        _size(model),
        _load(model),
        _latency(model, "p50"),
        _latency(model, "p99"),
        _outputs(model),
        _metrics(model),
        _tests(model),
        _check(model),
    )
    sections = (
        _problems(model) if model.problems else None,
        _version(model),
        _performance(model),
        _answers(model),
        _labels(model),
        _quality(model),
        _found(model),
        _try(model),
        _changed(model),
        _commits(model),
    )
    return ModelView(model.name, release, cells, tuple(s for s in sections if s is not None))


def _bump(model: ModelReport) -> Cell:
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


def _size(model: ModelReport) -> Cell:
    assert model.size is not None
    now = model.size.artifact
    if model.served is None or model.served.size is None:
        return Cell(megabytes(now))
    change = _beside_only(now, model.served.size.artifact, NOTABLE)
    return Cell(f"{megabytes(now)} ({change.text})", change.tone)


def _load(model: ModelReport) -> Cell:
    if model.measured is None:
        return DASH
    now, before = model.measured.loads.medians
    change = _load_change(model)
    said = seconds(now) if before is None else f"{seconds(now)} ({change.text})"
    return Cell(said, change.tone)


def _load_change(model: ModelReport) -> Cell:
    """A load is never twice the same: pointed out is only what is far off, each time."""
    assert model.measured is not None
    loads = model.measured.loads
    now, before = loads.medians
    if before is None:
        return DASH
    found = _beside_only(now, before, NOTABLE_LOAD)
    apart = min(loads.candidate) > max(loads.served) or max(loads.candidate) < min(loads.served)
    return found if apart else Cell(found.text)


def _latency(model: ModelReport, level: str) -> Cell:
    latency = model.measured.latency if model.measured else None
    if latency is None:
        return DASH
    value = getattr(latency.candidate, level)
    if value is None:
        return DASH
    ratio = _ratio(model, level)
    if ratio is None:
        return Cell(milliseconds(value))
    change = f"{milliseconds(value)} ({percent(ratio.ratio)})"
    if ratio.slower_by(SLOWER):
        return Cell(f"{change} slower", "note")
    return Cell(f"{change} faster", "good") if ratio.verdict == "faster" else Cell(change)


def _ratio(model: ModelReport, level: str) -> Ratio | None:
    compared = (
        model.measured.latency.compared if model.measured and model.measured.latency else None
    )
    if compared is None:
        return None
    return compared.median if level == "p50" else compared.p99


def _outputs(model: ModelReport) -> Cell:
    found = model.measured.outputs if model.measured else None
    if found is None:
        return DASH
    if found.same:
        return Cell("the same", "good")
    said = []
    labels = len(found.labels) + found.more_labels
    if labels:
        said.append(f"{labels} {'label' if labels == 1 else 'labels'} changed")
    if found.errors:
        said.append(f"{_counted(len(found.errors), 'error')} in one of the two")
    for tensor in found.tensors:
        if tensor.said:
            said.append(f"{tensor.tensor} {tensor.said}")
        elif tensor.changed and tensor.largest is not None:
            said.append(f"{tensor.tensor} ±{tensor.largest:.3g}")
    return Cell(", ".join(said), "bad" if found.errors else "note" if labels else "")


def _metrics(model: ModelReport) -> Cell:
    if not model.metrics:
        return DASH
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


def _tests(model: ModelReport) -> Cell:
    if model.tested is None:
        return Cell("not run", "note")
    tested = model.tested
    if tested.passed:
        return Cell(f"{tested.tests} passed", "good")
    return Cell(
        f"{tested.failures} of {tested.tests} failed" if tested.failures else "not passed", "bad"
    )


def _check(model: ModelReport) -> Cell:
    found = model.findings
    if found is None:
        return DASH
    counts = ((found.errors, "error"), (found.warnings, "warning"))
    said = [f"{count} {what}{'' if count == 1 else 's'}" for count, what in counts if count]
    return Cell(", ".join(said) or "no mistakes", "bad" if found.errors else "" if said else "good")


def _problems(model: ModelReport) -> Section:
    code = tuple(("text", f"{name}: {problem}") for name, problem in model.problems.items())
    return Section("What could not be found out", code=code)


def _try(model: ModelReport) -> Section | None:
    if not model.tries:
        return None
    where = Cell(f"{model.target}", code=True)
    return Section("Try it in staging", (where,), code=model.tries)


def _version(model: ModelReport) -> Section | None:
    said = _bump(model)
    if not said.text or model.proposed is None:
        return None
    return Section("Version", (said, *map(Cell, model.proposed.reasons)))


def _performance(model: ModelReport) -> Section | None:
    bars = tuple(_bars(model))
    if not bars:
        return None
    rows = tuple(
        (Cell(bar.label), Cell(bar.served or "–"), Cell(bar.candidate), bar.change) for bar in bars
    )
    lines = []
    latency = model.measured.latency if model.measured else None
    if latency is not None:
        compared = latency.compared
        asked = f"{latency.candidate.count} requests of {_counted(len(latency.asked), 'case')}"
        turns = f", in {compared.rounds} turns with production" if compared else ""
        few = "" if latency.candidate.p99 else f"; a p99 needs {needed(0.99)} of them"
        lines.append(Cell(f"Latencies: {asked}{turns}, one after the other{few}."))
    lines += [Cell(note) for note in (model.measured.notes if model.measured else ())]
    whiskers, axis = _whiskers(model)
    return Section(
        "Size, load and latency",
        tuple(lines),
        ("", "production", "this branch", "change"),
        rows,
        bars=bars,
        whiskers=whiskers,
        axis=axis,
    )


def _bars(model: ModelReport) -> Iterator[Bar]:
    before = model.served.size if model.served else None
    for label in ("artifact", "unpacked", "environment", "weights") if model.size else ():
        now: int = getattr(model.size, label)
        was: int | None = None if before is None else getattr(before, label)
        change = _beside_only(now, was, NOTABLE)
        # what is downloaded always; its parts where they changed, or there is nothing to compare
        if label == "artifact" or ((now or was) and change.text not in SAME):
            yield _bar(label, was, now, megabytes, change)
    if model.measured is None:
        return
    loaded, was_loaded = model.measured.loads.medians
    yield _bar("load", was_loaded, loaded, seconds, _load_change(model))
    latency = model.measured.latency
    if latency is None:
        return
    for level in ("p50", "p99"):
        value = getattr(latency.candidate, level)
        was_value = None if latency.served is None else getattr(latency.served, level)
        if value is not None:
            cell = _latency(model, level)
            ratio = _ratio(model, level)
            said = "–" if ratio is None else f"{percent(ratio.ratio)} ({_interval(ratio)})"
            yield _bar(f"latency {level}", was_value, value, milliseconds, Cell(said, cell.tone))


def _bar(
    label: str, before: float | None, now: float, said: Callable[[float], str], change: Cell
) -> Bar:
    most = max(now, before or 0.0) or 1.0
    return Bar(
        label,
        None if before is None else said(before),
        said(now),
        (before or 0.0) / most,
        now / most,
        change,
    )


def _interval(ratio: Ratio) -> str:
    return f"{percent(ratio.low)} to {percent(ratio.high)}"


def _whiskers(model: ModelReport) -> tuple[tuple[Whisker, ...], Axis | None]:
    """The ratios of the latencies on one axis that holds every interval, and 1."""
    ratios = {level: found for level in ("p50", "p99") if (found := _ratio(model, level))}
    if not ratios:
        return (), None
    low = min(0.9, *(ratio.low for ratio in ratios.values()))
    high = max(1.1, *(ratio.high for ratio in ratios.values()))

    def part(value: float) -> float:
        return (value - low) / (high - low)

    whiskers = tuple(
        Whisker(
            level,
            Cell(f"{percent(r.ratio)} ({_interval(r)})", _latency(model, level).tone),
            part(r.low),
            part(r.ratio),
            part(r.high),
        )
        for level, r in ratios.items()
    )
    return whiskers, Axis(percent(low), percent(high), part(1.0))


def _answers(model: ModelReport) -> Section | None:
    found = model.measured.outputs if model.measured else None
    if found is None:
        return None
    lines = [Cell(f"{_counted(found.cases, 'golden case')}, against what production answers.")]
    lines += [Cell(error, "bad") for error in found.errors]
    rows = tuple(
        (
            Cell(t.tensor, code=True),
            Cell(t.datatype),
            Cell(t.said or f"{t.changed} of {t.elements}", "note" if t.said else ""),
            Cell("–" if t.largest is None else f"{t.largest:.3g}"),
            Cell(t.case or "–", code=bool(t.case)),
        )
        for t in found.tensors
    )
    heads = ("output", "type", "elements changed", "largest difference", "in case")
    return Section("Outputs", tuple(lines), heads, rows)


def _labels(model: ModelReport) -> Section | None:
    found = model.measured.outputs if model.measured else None
    if found is None or not found.labels:
        return None
    rows = tuple(
        (Cell(x.case, code=True), Cell(x.place, code=True), Cell(x.before), Cell(x.after, "note"))
        for x in found.labels
    )
    more = (Cell(f"and {found.more_labels} more"),) if found.more_labels else ()
    return Section(
        "Labels that changed", more, ("case", "element", "production", "this branch"), rows
    )


def _quality(model: ModelReport) -> Section | None:
    if not model.metrics and not model.notes:
        return None
    ruled = [metric for metric in model.metrics if metric.rule is not None]
    others = [m for m in model.metrics if m.rule is None and m.state != "same"]
    lines = [
        Cell(f"{metric.name}: its rule was loosened: {change}", "note")
        for metric in model.metrics
        for change in metric.loosened
    ]
    lines += [Cell(note, "note") for note in model.notes]
    more, same = len(others) - METRICS, len(model.metrics) - len(ruled) - len(others)
    if more > 0:
        lines.append(Cell(f"{more} more without a rule are in the report's JSON."))
    if same:
        lines.append(Cell(f"{same} without a rule are the same."))
    rows = tuple(
        (
            Cell(metric.name, code=True),
            Cell(_figure(metric.served)),
            Cell(_figure(metric.candidate)),
            _verdict(metric),
        )
        for metric in [*ruled, *others[:METRICS]]
    )
    return Section("Metrics", tuple(lines), ("metric", "production", "this branch", ""), rows)


def _verdict(metric: Compared) -> Cell:
    tones: dict[str, Tone] = {"refused": "bad", "gone": "note", "better": "good"}
    if metric.state == "refused":
        return Cell(f"refused: {metric.said}", "bad")
    said = "worse, within its margin" if metric.state == "allowed" else metric.state
    return Cell(said, tones.get(metric.state, ""))


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.6g}"


def _changed(model: ModelReport) -> Section | None:
    if not model.changes:
        return None
    rows = tuple(
        (Cell(c.part), Cell(c.name, code=True), Cell(c.before or "–"), Cell(c.after or "–"))
        for c in model.changes
        if c.detail is None
    )
    more = len(rows) - CHANGES
    lines = (Cell(f"and {more} more"),) if more > 0 else ()
    code = tuple(("diff", c.detail) for c in model.changes if c.detail is not None)
    heads = ("part", "name", "production", "this branch")
    return Section("What changed", lines, heads, rows[:CHANGES], code)


def _found(model: ModelReport) -> Section | None:
    lines: list[Cell] = []
    if model.tested is None:
        lines.append(Cell("Tests: no report of a run on exactly this artifact.", "note"))
    else:
        tested = model.tested
        lines.append(Cell(f"Tests: {tested}", "" if tested.passed else "bad"))
        lines += [Cell(f"failed: {name}", "bad") for name in tested.failed[1:CHANGES]]
    lines += [Cell(line) for line in (model.findings.lines if model.findings else ())]
    return Section("Tests and check", tuple(lines))


def _commits(model: ModelReport) -> Section | None:
    if not model.commits:
        return None
    return Section("Commits since the release in production", tuple(map(Cell, model.commits)))


def _beside_only(now: float, before: float | None, notable: float) -> Cell:
    if not before:
        return DASH
    ratio = now / before
    if now == before:
        return Cell("same")
    tone: Tone = "note" if ratio > 1 + notable else "good" if ratio < 1 - notable else ""
    return Cell(percent(ratio), tone)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def percent(ratio: float) -> str:
    """A ratio as a change: 1.034 is +3.4 %."""
    change = 100 * (ratio - 1)
    if abs(change) < 0.05:
        return f"±0{NARROW}%"
    said = f"{change:+.1f}" if abs(change) < 10 else f"{change:+.0f}"
    return said.replace("-", "−") + f"{NARROW}%"


def megabytes(size: float) -> str:
    """Bytes, as people read them."""
    if size < 1e6:
        return f"{size / 1e3:.3g}{NARROW}kB"
    return f"{size / 1e6:.1f}{NARROW}MB" if size < 1e9 else f"{size / 1e9:.2f}{NARROW}GB"


def seconds(time: float) -> str:
    """Of loads."""
    return f"{time:.2f}{NARROW}s"


def milliseconds(time: float) -> str:
    """Of requests."""
    return f"{1e3 * time:.3g}{NARROW}ms"
