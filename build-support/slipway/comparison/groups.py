"""Check that the two groups of a split are comparable, and put them into blocks."""

from __future__ import annotations

from slipway.comparison.outcomes import read_input
from slipway.comparison.sample_ratio import SampleRatio, check_sample_ratio
from slipway.comparison.series import Matched, measure_distribution, split_series
from slipway.comparison.traffic import SortedTraffic

RISK = 0.01  # of a doubt about groups that are comparable


def split(traffic: SortedTraffic, weights: tuple[float, float] | None) -> Matched:
    """Return the two groups in blocks, by the alias's ``weights`` or by what was sent."""
    a, b = traffic.answers
    return split_series(a, b, weights or (max(1, len(a)), max(1, len(b))))


def check_groups(
    traffic: SortedTraffic, weights: tuple[float, float] | None
) -> tuple[SampleRatio | None, list[str]]:
    """Return how the groups' sizes fit the alias, and notes where they or their inputs differ.

    A split by chance gives both releases the same kind of requests.
    """
    notes = []
    ratio = None
    if weights is None:
        notes.append(
            "the alias is no split of these two now: whether each got its share is not checked"
        )
    else:
        ratio = check_sample_ratio([len(group) for group in traffic.answers], weights)
        if ratio.broken:
            share = ratio.counts[1] / max(1, sum(ratio.counts))
            notes.append(
                f"B got {share:.1%} of the requests, its weight is {ratio.weights[1]:.1%}"
                f" (p = {ratio.p_value:.2g}): not a random split, so the groups may differ in more"
                " than the release"
            )
    return ratio, notes + _check_inputs(traffic, weights)


def check_labelled(traffic: SortedTraffic, sent: tuple[int, int]) -> list[str]:
    """Return a note if the releases' requests have labels in different shares."""
    a, b = (len(group) for group in traffic.answers)
    if not (a or b) or not all(sent):
        return []
    if not check_sample_ratio([a, b], sent).broken:
        return []
    return [
        f"{a / sent[0]:.1%} of A's requests have a label, {b / sent[1]:.1%} of B's: the labelled"
        " ones may not be alike"
    ]


def _check_inputs(traffic: SortedTraffic, weights: tuple[float, float] | None) -> list[str]:
    series = split(traffic, weights)
    units = [unit for group in traffic.answers for unit in group]
    kinds = {
        name: isinstance(rows[0], float) for unit in units for name, rows in unit.inputs.items()
    }
    notes = []
    for name, is_number in kinds.items():
        measured = measure_distribution(
            series, name, read_input(name), is_number=is_number, risk=RISK / len(kinds)
        )
        for each in measured:
            bounds = each.bounds()
            if bounds.lower > 0 or bounds.upper < 0:
                more = "more" if bounds.lower > 0 else "less"
                notes.append(
                    f"the groups' inputs differ: {each.title} {more} often for B"
                    f" ({bounds.mean:+.1%}): not a random split, or callers with a key of their own"
                )
                break
    return notes
