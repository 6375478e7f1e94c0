"""The flowchart is text that Mermaid itself draws, with each label as it was."""

from __future__ import annotations

import json
from typing import Any

import pytest

from slipway.lineage.describe import short_details
from slipway.lineage.graph import Lineage
from slipway.lineage.mermaid import LONGEST, MOST_DATA, MOST_LINES, render_mermaid
from tests.lineage.mermaid_observed import OBSERVED
from tests.lineage.sample_lineages import ODD, SAMPLES

# that Mermaid makes of plain labels: no script, no picture, no link, nothing in bold
ELEMENTS = set(
    "BR DIV P SPAN circle defs feDropShadow filter foreignObject g marker path polygon rect style"
    " svg".split()
)


@pytest.fixture(scope="module")
def observed() -> dict[str, Any]:
    values: dict[str, Any] = json.loads(OBSERVED.read_text(encoding="utf-8"))
    return values


@pytest.mark.parametrize("name", SAMPLES)
def test_mermaid_has_drawn_exactly_this_text(name: str, observed: dict[str, Any]) -> None:
    # after a change of the renderer: python -m tests.lineage.mermaid_observed
    assert render_mermaid(SAMPLES[name]()) == observed[name]["text"]
    drawn = observed[name]["drawn"]
    assert drawn["type"] == "flowchart-v2" and set(drawn["elements"]) <= ELEMENTS


def shown(text: str) -> str:
    """Return a line as it is shown: printable, and shortened in its middle."""
    plain = "".join(letter if letter.isprintable() else "\ufffd" for letter in text)
    half = LONGEST // 2
    return plain if len(plain) <= LONGEST else f"{plain[: half - 1]}…{plain[-half:]}"


def expected_labels(lineage: Lineage) -> list[list[str]]:
    data = [node for node in lineage.nodes if node.kind == "data"]
    left_out = data[MOST_DATA - 1 :] if len(data) > MOST_DATA else []
    labels = []
    for node in lineage.nodes:
        if node in left_out:
            continue
        lines = [*([] if node.kind == "run" else [node.label]), *short_details(node)]
        assert len(lines) <= MOST_LINES + 1
        labels.append([shown(line).strip() for line in lines])
    if left_out:
        labels.append([f"and {len(left_out)} more files of data"])
    return labels


@pytest.mark.parametrize("name", SAMPLES)
def test_every_node_was_drawn_with_its_label_as_it_is(name: str, observed: dict[str, Any]) -> None:
    lineage = SAMPLES[name]()
    drawn = observed[name]["drawn"]
    # lines that are too wide are broken, so that the words are compared
    found = sorted(" ".join(lines).split() for lines in drawn["nodes"])
    assert found == sorted(" ".join(lines).split() for lines in expected_labels(lineage))
    assert drawn["titles"] == [[f"training run {run.label}"] for run in lineage.of_kind("run")]


def test_odd_names_are_in_the_sample_at_all(observed: dict[str, Any]) -> None:
    words = json.dumps(observed["odd names"]["drawn"]["nodes"], ensure_ascii=False)
    for name in (ODD[1], ODD[3], ODD[6]):
        assert json.dumps(name, ensure_ascii=False)[1:-1] in words
