"""README's figures are those that were measured."""

from __future__ import annotations

import json

from tests.docs.pages import ROOT

BEGIN, END = "<!-- from benchmarks/results.json -->", "<!-- end -->"


def test_each_line_of_the_table_is_one_that_was_measured() -> None:
    results = json.loads((ROOT / "benchmarks" / "results.json").read_text(encoding="utf-8"))
    measured = {
        (row["ours"], row["theirs"] if row["ratio"] else "", row["ratio"])
        for benchmark in results.values()
        for report in benchmark["reports"]
        for row in report["rows"]
    }
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    table = text.partition(BEGIN)[2].partition(END)[0].strip().splitlines()[2:]
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    shown = [
        (ours, theirs.partition(",")[0], ratio.replace(" ×", "×"))
        for _, ours, theirs, ratio, _ in lines
    ]
    assert len(shown) > 10
    assert [line for line in shown if line not in measured] == []
