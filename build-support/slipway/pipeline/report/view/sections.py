"""The details of a model, part by part."""

from __future__ import annotations

from slipway.pipeline.report.build import ModelReport
from slipway.pipeline.report.view import format as figures
from slipway.pipeline.report.view import summary_row as row
from slipway.pipeline.report.view.elements import Cell, Section, Tone
from slipway.release.evaluation.evaluation import MetricComparison
from slipway.training.run import TrainingRun

MAX_CHANGES = 60  # that are listed
MAX_DATA = 5  # files of data, that are listed
MAX_METRICS = 8  # without a rule, that are listed


def problems(model: ModelReport) -> Section:
    """Return the parts that could not be determined, and why."""
    code = tuple(("text", f"{name}: {problem}") for name, problem in model.problems.items())
    return Section("Problems", code=code)


def try_it(model: ModelReport) -> Section | None:
    """Return the commands that invoke its target model in staging."""
    if not model.tries:
        return None
    where = Cell(f"{model.target}", code=True)
    return Section("Try it in staging", (where,), code=model.tries)


def version(model: ModelReport) -> Section | None:
    """Return whether the release version fits, and why."""
    verdict = row.bump(model)
    if not verdict.text or model.proposed is None:
        return None
    return Section("Version", (verdict, *map(Cell, model.proposed.reasons)))


def answers(model: ModelReport) -> Section | None:
    """Return each output's difference over all golden cases."""
    outputs = model.measured.outputs if model.measured else None
    if outputs is None:
        return None
    lines = [
        Cell(
            f"{figures.count_of(outputs.cases, 'golden case')}, compared with production's answers."
        )
    ]
    lines += [Cell(error, "bad") for error in outputs.errors]
    rows = tuple(
        (
            Cell(t.tensor, code=True),
            Cell(t.datatype),
            Cell(t.said or f"{t.changed} of {t.elements}", "note" if t.said else ""),
            Cell("–" if t.largest is None else f"{t.largest:.3g}"),
            Cell(t.case or "–", code=bool(t.case)),
        )
        for t in outputs.tensors
    )
    heads = ("output", "type", "elements changed", "largest difference", "in case")
    return Section("Outputs", tuple(lines), heads, rows)


def labels(model: ModelReport) -> Section | None:
    """Return the texts, booleans and integers that changed."""
    outputs = model.measured.outputs if model.measured else None
    if outputs is None or not outputs.labels:
        return None
    rows = tuple(
        (Cell(x.case, code=True), Cell(x.place, code=True), Cell(x.before), Cell(x.after, "note"))
        for x in outputs.labels
    )
    more = (Cell(f"and {outputs.more_labels} more"),) if outputs.more_labels else ()
    return Section(
        "Labels that changed", more, ("case", "element", "production", "this branch"), rows
    )


def quality(model: ModelReport) -> Section | None:
    """Return the metrics, those with a rule first."""
    if not model.metrics and not model.notes:
        return None
    ruled = [metric for metric in model.metrics if metric.rule is not None]
    others = [m for m in model.metrics if m.rule is None and m.state != "same"]
    lines = [
        Cell(f"{metric.name}: its rule was relaxed: {change}", "note")
        for metric in model.metrics
        for change in metric.loosened
    ]
    lines += [Cell(note, "note") for note in model.notes]
    more, same = len(others) - MAX_METRICS, len(model.metrics) - len(ruled) - len(others)
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
        for metric in [*ruled, *others[:MAX_METRICS]]
    )
    return Section("Metrics", tuple(lines), ("metric", "production", "this branch", ""), rows)


def training(model: ModelReport) -> Section | None:
    """Return the run that made the weights, what it was trained on, and what changed since the
    training of the release in production."""
    trained = model.training
    if trained is None:
        return None
    lines = [Cell(note, "note") for note in trained.notes]
    run = trained.run
    if run is None:
        lines.append(Cell("No recorded training made these weights.", "note"))
    else:
        lines.insert(0, Cell(_ran(run)))
        if trained.data:
            names = ", ".join(trained.data[:MAX_DATA])
            more = len(trained.data) - MAX_DATA
            lines.append(Cell(f"on {names}{f' and {more} more files' if more > 0 else ''}"))
        if run.dirty:
            lines.append(Cell("The code of the training differed from its commit.", "note"))
    if trained.served is None and model.served is not None:
        lines.append(Cell("The training of the release in production is not known."))
    elif trained.served is not None and run is not None and trained.served == run.id:
        lines.append(Cell("It is the training of the release in production."))
    rows = tuple(
        (Cell(c.name, code=True), Cell(c.before or "–"), Cell(c.after or "–"))
        for c in trained.changes[:MAX_CHANGES]
    )
    heads = ("training", "production", "this branch")
    return Section("Training", tuple(lines), heads if rows else (), rows)


def _ran(run: TrainingRun) -> str:
    commit = f", commit {run.commit[:7]}" if run.commit else ""
    compared = run.compared
    verdict = (
        f"; {compared.verdict}, compared with {compared.release}"
        if compared is not None and compared.release
        else ""
    )
    return f"{run.id} on {run.place}, {run.seconds:.0f} s{commit}{verdict}"


def _verdict(metric: MetricComparison) -> Cell:
    tones: dict[str, Tone] = {"refused": "bad", "gone": "note", "better": "good"}
    if metric.state == "refused":
        return Cell(f"refused: {metric.said}", "bad")
    verdict = "worse, within its margin" if metric.state == "allowed" else metric.state
    return Cell(verdict, tones.get(metric.state, ""))


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.6g}"


def changed(model: ModelReport) -> Section | None:
    """Return the differences between the artifacts' contents."""
    if not model.changes:
        return None
    rows = tuple(
        (Cell(c.part), Cell(c.name, code=True), Cell(c.before or "–"), Cell(c.after or "–"))
        for c in model.changes
        if c.detail is None
    )
    more = len(rows) - MAX_CHANGES
    lines = (Cell(f"and {more} more"),) if more > 0 else ()
    code = tuple(("diff", c.detail) for c in model.changes if c.detail is not None)
    heads = ("part", "name", "production", "this branch")
    return Section("What changed", lines, heads, rows[:MAX_CHANGES], code)


def tests_and_check(model: ModelReport) -> Section | None:
    """Return the failed tests, and the findings."""
    lines: list[Cell] = []
    if model.tested is None:
        lines.append(Cell("Tests: no report of a run on exactly this artifact.", "note"))
    else:
        tested = model.tested
        lines.append(Cell(f"Tests: {tested}", "" if tested.passed else "bad"))
        lines += [Cell(f"failed: {name}", "bad") for name in tested.failed[1:MAX_CHANGES]]
    lines += [Cell(line) for line in (model.findings.lines if model.findings else ())]
    return Section("Tests and check", tuple(lines))


def commits(model: ModelReport) -> Section | None:
    """Return a line for each commit."""
    if not model.commits:
        return None
    return Section("Commits since the release in production", tuple(map(Cell, model.commits)))
