"""A report as the values that its two templates, Markdown and HTML, render."""

from __future__ import annotations

from slipway.pipeline.report.build import ModelReport, Report
from slipway.pipeline.report.view import format as figures
from slipway.pipeline.report.view import performance, sections
from slipway.pipeline.report.view import summary_row as row
from slipway.pipeline.report.view.elements import Cell, ModelView, View

HEADS = ("Model", "Release", "Size", "Load", "p50", "p99", "Outputs", "Metrics", "Tests", "Check")


def build_view(report: Report) -> View:
    """Return what the templates show of ``report``."""
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
    retired = [model for model in built if model.retired]
    new = [m for m in built if m.served is None and "production" not in m.problems]
    new = [model for model in new if model not in retired]
    changed = [model for model in built if model not in new and model not in retired]
    counts = [
        (len(changed), "changed"),
        (len(new), "new"),
        (len(retired), "retired in production"),
        (len(report.deleted), "deleted"),
        (len(failed), "failed"),
        (len(report.unchanged), "unchanged"),
    ]
    parts = [f"{count} {what}" for count, what in counts if count]
    if not parts:
        return "No model is affected"
    total = sum(count for count, _ in counts)
    head = f"{total} {'model' if total == 1 else 'models'}: {', '.join(parts)}"
    if len(changed) == 1 and len(parts) == 1:
        return f"{changed[0].name} {row.release(changed[0])}"
    return head


def _foot(report: Report) -> str:
    commit = f"commit {report.origin.commit[:8]}" if report.origin.commit else "no commit"
    server = f", measured on {report.source}" if report.source else ""
    return f"{commit}{server}"


def _model(model: ModelReport) -> ModelView:
    release = row.release(model)
    if model.failed:
        cells = (
            Cell(model.name, code=True),
            Cell("failed", "bad"),
            *[figures.DASH] * (len(HEADS) - 2),
        )
        return ModelView(model.name, release, cells, (sections.problems(model),))
    cells = (
        Cell(model.name, code=True),
        Cell(release, row.bump(model).tone),
        row.size(model),
        row.load(model),
        row.latency(model, "p50"),
        row.latency(model, "p99"),
        row.outputs(model),
        row.metrics(model),
        row.tests(model),
        row.check(model),
    )
    parts = (
        sections.problems(model) if model.problems else None,
        sections.version(model),
        performance.performance(model),
        sections.answers(model),
        sections.labels(model),
        sections.quality(model),
        sections.training(model),
        sections.tests_and_check(model),
        sections.try_it(model),
        sections.changed(model),
        sections.commits(model),
    )
    return ModelView(model.name, release, cells, tuple(s for s in parts if s is not None))
