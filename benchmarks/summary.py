"""README's table of figures: rows of ``results.json``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.context import ROOT
from slipway.files import atomic_write

README = ROOT / "README.md"
BEGIN, END = "<!-- from benchmarks/results.json -->\n", "<!-- end -->\n"
HEAD = "| what | Slipway | compared with | ratio | aim |\n|---|---|---|---|---|\n"


@dataclass(frozen=True)
class Shown:
    """A line of the table: ``row`` of the report of ``benchmark`` whose title begins with
    ``title``, and what it is compared with with ``theirs``."""

    label: str
    benchmark: str
    title: str
    row: str
    theirs: str = ""


LOAD = "Load on Triton to the first answer, environment unpacked"
GROWN = "1,000 models, of which"
PLAIN = "FastAPI, FP32 in Python"
SHOWN = (
    Shown("pack an artifact", "packing", "Packing", "time, the environment's members copied"),
    Shown("size of the artifact", "packing", "The artifact", "size"),
    Shown("load a first model, to its answer", "loading", LOAD, "first model"),
    Shown("load a second model", "loading", LOAD, "second model"),
    Shown("from the tarball to the answer", "loading", LOAD, "from the tarball"),
    Shown(
        "requests a second, 8 clients", "serving", "Served", "8 clients: requests", "FastAPI, FP"
    ),
    Shown("their p99", "serving", "Served", "8 clients: p99", PLAIN),
    Shown("one client's p50", "serving", "Served", "1 client: p50", PLAIN),
    Shown("requests a second", "serving", "Served", "8 clients: requests", "FastAPI, tuned by"),
    Shown("requests a second", "serving", "Served", "8 clients: requests", "FastAPI, tuned, with"),
    Shown("requests a second", "serving", "Served", "8 clients: requests", "BentoML"),
    Shown("`check` of 1,000 models", "growth", GROWN, "check, nothing kept"),
    Shown("the same, nothing changed", "growth", GROWN, "check, nothing changed"),
    Shown("`package ::` of 1,000, nothing changed", "growth", GROWN, "pants package ::"),
    Shown("`package` of one of them, edited", "growth", GROWN, "pants package, one"),
    Shown("`status`, 40,000 releases in S3", "growth", GROWN, "slipway status"),
    Shown("`history` of one model", "growth", GROWN, "slipway history"),
    Shown("`rollback` of one model", "growth", GROWN, "slipway rollback"),
)


def write(results: Mapping[str, Any]) -> None:
    """Replace the table in README.

    Raises:
        LookupError: the results lack one of its rows.
        ValueError: README has no place for it.
    """
    text = replace(README.read_text(encoding="utf-8"), render(results))
    with atomic_write(README) as partial:
        partial.write_text(text, encoding="utf-8")


def render(results: Mapping[str, Any]) -> str:
    """Return the table in Markdown.

    Raises:
        LookupError: there is no such row.
    """
    return HEAD + "".join(_line(shown, results) for shown in SHOWN)


def replace(text: str, table: str) -> str:
    """Return a page's text with another table between its marks.

    Raises:
        ValueError: it has no marks.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the page lacks {BEGIN.strip()} and {END.strip()}")
    return f"{before}{BEGIN}\n{table}\n{END}{after}"


def _line(shown: Shown, results: Mapping[str, Any]) -> str:
    for report, row in _rows(results[shown.benchmark]["reports"]):
        if (
            report["title"].startswith(shown.title)
            and report["theirs"].startswith(shown.theirs)
            and row["what"].strip().startswith(shown.row)
        ):
            compared = row["ratio"] and f"{row['theirs']}, {report['theirs']}"
            missed = " **missed**" if row["met"] is False else ""
            aim = row["target"] + missed
            cells = (shown.label, row["ours"], compared, row["ratio"].replace("×", " ×"), aim)
            return f"| {' | '.join(cells)} |\n"
    raise LookupError(f"the results have no row for {shown}")


def _rows(reports: list[Any]) -> Iterator[tuple[Any, Any]]:
    for report in reports:
        for row in report["rows"]:
            yield report, row
