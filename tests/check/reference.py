"""The rule reference in ``docs/rules``: what each rule finds, why, and what happens without it.

``PYTHONPATH=build-support:. python -m tests.check.reference`` writes it anew.
"""

from __future__ import annotations

import contextlib
import difflib
import functools
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from slipway import settings
from slipway.check import RULES, Finding, Rule, check
from slipway.check.fix import mend
from slipway.check.report import Report, rendered
from tests.check import fixture_repositories as repositories

PAGES = Path(__file__).parents[2] / "docs" / "rules"
OBSERVED = Path(__file__).with_name("observed.json")
INDEX = "README.md"
LONGEST = 40  # lines of a diff that a reader would read
NOT_OBSERVED = {"load": "not observed", "invoke": ""}

TITLE = """\
# Rules

What `slipway check` finds, and what happens where nobody checks. Generated from the rules and their
fixtures, each of which is one sound model with one mistake; a test compares this page with them, and
another asks a real Triton server again.

    slipway check --explain SW404      # why, and its source
    # slipway: ignore=SW404 reason     # behind or above a line: silences one rule there
"""


def pages() -> dict[str, str]:
    """Every page by its file name."""
    made = {f"{rule}.md": page(rule) for rule in sorted(RULES)}
    return made | {INDEX: index()}


def index() -> str:
    """The page that lists the rules, and the table of what the real server does."""
    lines = [TITLE, *_table("rule", "name", "", "otherwise")]
    for rule in sorted(RULES.values(), key=lambda rule: rule.id):
        lines.append(_row(_link(rule.id), rule.name, rule.severity, _prose(rule.reason)))
    lines += [
        "",
        "## What the real server does",
        "",
        "Each mistake alone in a sound model, on Triton as an endpoint starts it: what loading it"
        " answers, and then one invocation.",
        "",
        *_table("rule", "mistake", "found at", "load", "invocation"),
    ]
    for rule_id in sorted(RULES):
        for name in fixtures(rule_id):
            places = ", ".join(line.split()[1] for line in repositories.expected(name))
            lines.append(_row(_link(rule_id), _words(name), f"`{places}`", *_observed(name)))
    return "\n".join(lines) + "\n"


def page(rule_id: str) -> str:
    """The page of one rule."""
    rule = RULES[rule_id]
    return "\n".join(
        [*_head(rule), *(line for name in fixtures(rule_id) for line in _example(name))]
    )


def fixtures(rule_id: str) -> list[str]:
    """The names of the rule's fixtures."""
    return [name for name in repositories.names() if name.startswith(f"{rule_id}_")]


def _head(rule: Rule) -> Iterator[str]:
    yield f"# {rule.id} {rule.name}\n"
    yield f"{rule.severity.capitalize()}. Otherwise: {_prose(rule.reason)}.\n"
    yield f"Source: {_prose(rule.source)}.\n"


def _example(name: str) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="slipway-reference-") as work, _no_cache(work):
        root = Path(work).resolve()
        repositories.make(name, root)
        with contextlib.chdir(root):
            findings = _found()
            report = Report(root, {Path("models/sound"): findings})
            text = click.unstyle(rendered(report, "text"))
            mended = mend(_found).diff()
    load, invocation = _observed(name)
    yield f"## {_words(name).capitalize()}\n"
    yield _block("diff", "\n".join(_changes(name)))
    yield "`slipway check` prints:\n"
    yield _block("", text.rpartition("\n\n")[0])
    yield f"The real server answers to loading: {load}" + (
        f"; to an invocation: {invocation}\n" if invocation else "\n"
    )
    if mended:
        yield "`slipway check --fix` does:\n"
        yield _block("diff", mended.rstrip())


@contextlib.contextmanager
def _no_cache(work: str) -> Iterator[None]:
    """A projected size counts the environment where this machine has built it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLIPWAY_CACHE", str(Path(work, "cache")))
        yield


def _found() -> list[Finding]:
    return check([Path("models/sound")], settings.load(Path.cwd()))


def _changes(name: str) -> Iterator[str]:
    """The mistake, as a diff against the good repository."""
    bad = repositories.BAD / name
    removed = bad / "removed.txt"
    for line in removed.read_text().split() if removed.exists() else ():
        yield f"removed {line}"
    for link, target in repositories.links(name):
        yield f"link {link} to {target}"
    for file in sorted(path for path in bad.rglob("*") if path.is_file()):
        path = file.relative_to(bad)
        if path.as_posix() not in repositories.ABOUT:
            yield from _difference(path, _text(repositories.GOOD / path), _text(file))


def _difference(path: Path, before: str | None, after: str | None) -> Iterator[str]:
    if before is None or after is None:
        yield f"other bytes in {path}"
        return
    names = (f"a/{path}" if before else "/dev/null", f"b/{path}")
    lines = list(
        difflib.unified_diff(before.splitlines(), after.splitlines(), *names, n=2, lineterm="")
    )
    yield from lines[:LONGEST]
    if len(lines) > LONGEST:
        yield f"… {len(lines) - LONGEST} more lines"
    if not lines and before != after:
        yield f"other line ends in {path}"


def _text(file: Path) -> str | None:
    """A file's text; empty if it is not there, and ``None`` if it is none."""
    if not file.exists():
        return ""
    try:
        text = file.read_bytes().decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def _observed(name: str) -> tuple[str, str]:
    seen = _observations().get(name, NOT_OBSERVED)
    return _said(seen["load"]), _said(seen["invoke"])


@functools.cache
def _observations() -> Any:
    return json.loads(OBSERVED.read_text(encoding="utf-8"))


def _said(answer: str) -> str:
    """An answer as code, unless it is a few plain words of our own."""
    answer = answer.replace("\n", " ").replace("`", "'")
    return answer if answer.replace(" ", "").isalnum() or not answer else f"`{answer}`"


def _prose(text: str) -> str:
    """A text of ours in Markdown, where `<name>` outside of code would be taken for a tag."""
    parts = text.split("`")
    return "`".join(
        [part.replace("<", "&lt;") if n % 2 == 0 else part for n, part in enumerate(parts)]
    )


def _words(name: str) -> str:
    return name.partition("_")[2].replace("_", " ")


def _link(rule_id: str) -> str:
    return f"[{rule_id}]({rule_id}.md)"


def _table(*columns: str) -> list[str]:
    return [_row(*columns), _row(*("---" for _ in columns))]


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _block(language: str, text: str) -> str:
    return f"```{language}\n{text}\n```\n"


def main() -> None:
    """Write every page, and remove those of rules that are no more."""
    PAGES.mkdir(parents=True, exist_ok=True)
    made = pages()
    for stale in PAGES.glob("*.md"):
        if stale.name not in made:
            stale.unlink()
    for name, text in made.items():
        (PAGES / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
