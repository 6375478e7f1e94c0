"""The text of a retrained model's merge request: what a person needs to decide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slipway.model.folded import FOLDER as FOLDED
from slipway.pipeline.report.render import code_span, escape_markdown
from slipway.pipeline.retraining.candidate import Placed
from slipway.pipeline.retraining.changes import Change
from slipway.pipeline.retraining.compare import Comparison
from slipway.pipeline.retraining.next_version import NextVersion
from slipway.pipeline.retraining.started import Start
from slipway.release.evaluation.evaluation import MetricComparison
from slipway.training.run import TrainingRun

VERDICTS = {"better": "Better", "equal": "Equal", "worse": "Worse", "none": "Not compared"}
STATES = {"allowed": "worse, within its margin", "refused": "refused"}
KINDS = ("data", "parameters", "code", "packages", "outputs")
MOST = 12  # differences of one kind
MOST_METRICS = 60
SOURCES = {"ran": "ran", "run cache": "from the run cache", "unchanged": "unchanged"}


@dataclass(frozen=True)
class ProposalFacts:
    """All that the text says. ``pointers`` are those of the served weights, from the repository's
    root. ``cases`` are the model's golden cases, by name; ``moved`` says how
    the answers of some of them moved, ``None`` if nobody asked the model."""

    run: TrainingRun
    comparison: Comparison
    version: NextVersion
    placed: Sequence[Placed]
    changes: Sequence[Change]
    start: Start
    cases: Sequence[str]
    pointers: Sequence[str]
    branch: str
    moved: Mapping[str, Sequence[str]] | None = None


def title_of(facts: ProposalFacts) -> str:
    """Return the title of the merge request."""
    compared, name = facts.comparison, facts.run.model
    verdict = {
        "better": f"better than production's {compared.release}",
        "equal": f"as good as production's {compared.release}",
        "worse": "worse than its rules allow",
        "none": "not compared",
    }[compared.verdict]
    if not any(each.changed for each in facts.placed):
        return f"{name}: trained again, the same weights"
    return f"{name} {facts.version.after}: retrained, {verdict}"


def text_of(facts: ProposalFacts) -> str:
    """Return the description of the merge request, in GitLab's Markdown."""
    parts = [_summary(facts), _metrics(facts.comparison), _changes(facts), _origin(facts)]
    return "\n\n".join([*parts, _look(facts), _decide(facts)]) + "\n"


def _summary(facts: ProposalFacts) -> str:
    compared = facts.comparison
    why = escape_markdown(compared.why)
    if compared.release is None:
        return f"**{VERDICTS[compared.verdict]}**: {why}."
    against = f"against {code_span(compared.release)}, which production serves"
    return f"**{VERDICTS[compared.verdict]}** ({against}): {why}."


def _metrics(compared: Comparison) -> str:
    production = f"production {compared.release}" if compared.release else "production"
    lines = [f"| metric | this training | {production} | rule | |", "|---|---|---|---|---|"]
    for metric in compared.metrics[:MOST_METRICS]:
        said = f": {metric.said}" if metric.said else ""
        state = f"{STATES.get(metric.state, metric.state)}{said}"
        mark = "❌ " if metric.state == "refused" else ""
        cells = [
            code_span(metric.name),
            _number(metric.candidate),
            _number(metric.served),
            escape_markdown(rule_text(metric.rule)),
            mark + escape_markdown(state),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    if len(compared.metrics) > MOST_METRICS:
        lines.append(f"| and {len(compared.metrics) - MOST_METRICS} more | | | | |")
    lines += [f"\n{escape_markdown(note)}" for note in compared.notes]
    lines += [
        f"\nThe rule of {code_span(metric.name)} was loosened: {escape_markdown(change)}."
        for metric in compared.metrics
        for change in metric.loosened
    ]
    return "\n".join(lines)


def rule_text(rule: Mapping[str, Any] | None) -> str:
    """Return which is better and how far it may fall: ``higher, margin 0.005, at least 0.95``."""
    if rule is None:
        return ""
    words = [str(rule["better"])]
    words += [f"margin {rule['margin']}"] if rule.get("margin") else []
    words += [
        f"{key.replace('_', ' ')} {rule[key]:g}" for key in ("at_least", "at_most") if key in rule
    ]
    return ", ".join(words)


def _changes(facts: ProposalFacts) -> str:
    lines = ["### What changed", ""]
    for kind in KINDS:
        found = [change.what for change in facts.changes if change.kind == kind]
        if found:
            more = f"; and {len(found) - MOST} more" if len(found) > MOST else ""
            lines.append(f"- {kind}: {'; '.join(found[:MOST])}{more}")
        elif kind in ("data", "parameters", "code"):
            lines.append(f"- {kind}: as in the training before")
    for placed in facts.placed:
        if placed.changed:
            again = "folded" if placed.target.startswith(f"{FOLDED}/") else "converted"
            more = f", {again} again" if placed.converted else ""
            lines.append(
                f"- weights: {code_span(placed.candidate)} became {code_span(placed.target)}{more}"
            )
        else:
            lines.append(f"- weights: {code_span(placed.target)} has these bytes already")
    if not facts.placed:
        lines.append(
            "- weights: unchanged; without `[weights]` in `training.toml` no candidate is served"
        )
    version = facts.version
    if version.before != version.after:
        reasons = "; ".join(escape_markdown(f"{r.part}: {r.what}") for r in version.reasons[:MOST])
        lines.append(f"- version: {version.before} → **{version.after}** ({reasons})")
    else:
        why = "production has none" if version.released is None else "as it was"
        lines.append(f"- version: {version.after} ({why})")
    return "\n".join(lines)


def _origin(facts: ProposalFacts) -> str:
    run, start = facts.run, facts.start
    stages = ", ".join(f"{code_span(s.name)} {SOURCES[s.source]}" for s in run.stages)
    how = f"by {start.how}" if start.how else "by hand"
    user = f", {code_span(start.by)}" if start.by else ""
    why = f": {escape_markdown(start.why)}" if start.why else ""
    dirty = ", **with changes that no commit has**" if run.dirty else ""
    lines = [
        "### Where it comes from",
        "",
        f"- started {how}{user}{why}",
        f"- run {code_span(run.id)}, on {run.place}, {run.seconds:.0f} s: {stages}",
        f"- code {code_span(run.commit[:12])}{dirty}",
        *([f"- image {code_span(run.image)}"] if run.image else []),
        *(f"- {link if '://' in link else code_span(link)}" for link in start.links),
    ]
    return "\n".join(lines)


def _look(facts: ProposalFacts) -> str:
    name = facts.run.model
    commands = [
        f"git fetch origin && git switch {facts.branch}",
        *(f"slipway weights pull {pointer}" for pointer in facts.pointers),
        f"slipway test {name}",
        f"slipway lineage {name}",
    ]
    return "\n".join(
        [
            "### Look at it",
            "",
            "The pipeline's report of this merge request has latencies and sizes, and commands that"
            " ask the release in staging. On a laptop:",
            "",
            *(f"    {command}" for command in commands),
        ]
    )


def _decide(facts: ProposalFacts) -> str:
    return "\n".join(["### Decide", "", *(f"- [ ] {line}" for line in _decisions(facts))])


def _decisions(facts: ProposalFacts) -> Iterator[str]:
    name, compared = facts.run.model, facts.comparison
    if compared.verdict == "worse":
        yield "It breaks a rule: `promote` will refuse it. Change the rule, or close this."
    elif compared.verdict == "none":
        yield "Nothing compared it: are its metrics good enough?"
    else:
        yield "Are its metrics what you expected of these changes?"
    update = f"`slipway test {name} --update-golden`, and commit what you agree with"
    if facts.moved:
        for case, how in facts.moved.items():
            first = "; ".join(escape_markdown(line) for line in how[:3])
            yield f"The answers of the golden case {code_span(case)} move: {first}. {update}"
    elif facts.moved is not None:
        count = len(facts.cases)
        yield f"The answers of the {count} golden cases stay within their tolerances."
    elif facts.cases and any(each.changed for each in facts.placed):
        named = ", ".join(code_span(case) for case in facts.cases[:5])
        more = f" and {len(facts.cases) - 5} more" if len(facts.cases) > 5 else ""
        yield (
            f"Golden cases hold the answers of the weights before: {named}{more}. Where answers"
            f" move, `build and test` fails: {update}"
        )
    if facts.run.dirty:
        yield "It was trained with code that no commit has: is all of it in this merge request?"
    yield "Merging releases it: the pipeline of the default branch promotes what staging tested."


def _number(value: float | None) -> str:
    return "—" if value is None else f"{value:.6g}"


def metric_lines(compared: Comparison) -> list[str]:
    """Return a line for each metric, for a terminal."""
    return [_line(metric) for metric in compared.metrics]


def _line(metric: MetricComparison) -> str:
    said = f": {metric.said}" if metric.said else ""
    rule = f" ({rule_text(metric.rule)})" if metric.rule else ""
    values = f"{_number(metric.served)} → {_number(metric.candidate)}"
    return f"{metric.name}: {values}{rule} {STATES.get(metric.state, metric.state)}{said}"
