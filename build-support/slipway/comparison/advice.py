"""What to do after a comparison: commands for the alias, or what a decision still lacks."""

from __future__ import annotations

from slipway.catalog.alias import Alias
from slipway.comparison.report import TrafficComparison
from slipway.settings.release import StageName


def advise(comparison: TrafficComparison, stage: StageName, alias: Alias | None) -> list[str]:
    """Return lines: each is a command, or a sentence. ``alias`` is the current one of ``stage``."""
    decided = comparison.decision
    if decided in ("b better", "equivalent"):
        lines = _serve(comparison, comparison.b, stage, alias)
        if decided == "equivalent":
            lines.append("A serves as well: nothing has to change")
        return lines
    if decided == "a better":
        return _serve(comparison, comparison.a, stage, alias)
    again = f"slipway compare {comparison.name} {comparison.a} {comparison.b}"
    if decided == "different":
        return [
            "without labels nothing says which release is right: look at the examples, or pass"
            " ground truth",
            f"{again} --labels FILE",
        ]
    if comparison.more is None:
        return [
            "more requests like these would hardly decide it: the difference is about the margin,"
            " or nothing differs; choose a wider --margin, or either release",
        ]
    return [
        f"about {_rounded(comparison.more)} more requests decide it, if they are like those so far;"
        " look as often as you like",
        f"{again} --labels FILE" if comparison.labelled else again,
    ]


def _serve(
    comparison: TrafficComparison, target: str, stage: StageName, alias: Alias | None
) -> list[str]:
    name = comparison.name
    if alias is not None and alias.all_targets == (target,):
        lines = [f"nothing: {stage} serves {target} already"]
    else:
        lines = [f"slipway alias {name} {target} --stage {stage}"]
    if stage == "staging" and target == comparison.b:
        lines.append(f"slipway promote {name}")
    return lines


def _rounded(count: int) -> str:
    """Return a number with two digits: an estimate has no more."""
    digits = max(0, len(str(count)) - 2)
    return f"{round(count, -digits):,}"
