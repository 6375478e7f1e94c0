"""The rule reference in ``docs/rules``: what each rule finds, why, and what happens otherwise.

``PYTHONPATH=build-support:. python -m tests.check.reference`` writes it again.
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

from slipway.check import RULES, Finding, Rule
from slipway.check.fix.apply import apply_fixes
from slipway.check.report import CheckReport, render_report
from tests.check import fixture_repositories as repositories

PAGES = Path(__file__).parents[2] / "docs" / "rules"
OBSERVED = Path(__file__).with_name("observed.json")
INDEX = "README.md"
LONGEST = 40  # lines of a diff; longer ones are truncated
NOT_OBSERVED = {"load": "not observed", "invoke": ""}

TITLE = """\
# Rules

This page lists what `slipway check` finds, and what happens without the check. It is generated from
the rules and their fixtures. Each fixture is a valid model with one mistake. One test compares this
page with the fixtures, and another one repeats the observations on a real Triton server. Each page
of a rule names the file that implements it.

    slipway check --explain SW404      # why, and its source
    # slipway: ignore=SW404 reason     # after or above a line: silences one rule there
"""


def pages() -> dict[str, str]:
    """Return every page by its file name."""
    return {f"{rule}.md": page(rule) for rule in sorted(RULES)} | {INDEX: index()}


def index() -> str:
    """Return the page that lists the rules, with the table of the real server's answers."""
    lines = [TITLE, *_table("rule", "name", "", "otherwise")]
    for rule in sorted(RULES.values(), key=lambda rule: rule.id):
        lines.append(_row(_link(rule.id), rule.name, rule.severity, _prose(rule.reason)))
    lines += [
        "",
        "## What the real server does",
        "",
        "Each row is a valid model with one mistake, on Triton started as on an endpoint. The last"
        " columns are the answers to loading the model and to one invocation.",
        "",
        *_table("rule", "mistake", "found at", "load", "invocation"),
    ]
    for rule_id in sorted(RULES):
        for name in fixtures(rule_id):
            places = ", ".join(line.split()[1] for line in repositories.expected_findings(name))
            lines.append(_row(_link(rule_id), _words(name), f"`{places}`", *_observed(name)))
    return "\n".join(lines) + "\n"


def page(rule_id: str) -> str:
    """Return the page of one rule."""
    rule = RULES[rule_id]
    return "\n".join(
        [*_head(rule), *(line for name in fixtures(rule_id) for line in _example(name))]
    )


def fixtures(rule_id: str) -> list[str]:
    """Return the names of the rule's fixtures."""
    return [name for name in repositories.names() if name.startswith(f"{rule_id}_")]


def rule_file(rule: Rule) -> str:
    """Return the path in the repository of the file that implements a rule."""
    return f"build-support/{rule.find.__module__.replace('.', '/')}.py"


def _head(rule: Rule) -> Iterator[str]:
    file = rule_file(rule)
    yield f"# {rule.id} {rule.name}\n"
    yield f"{rule.severity.capitalize()}. Otherwise: {_prose(rule.reason)}.\n"
    yield f"Source: {_prose(rule.source)}.\n"
    yield f"Rule: [`{file}`](../../{file}).\n"


def _example(name: str) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="slipway-reference-") as work, _no_cache(work):
        root = Path(work).resolve()
        repositories.make(name, root)
        with contextlib.chdir(root):
            findings = _find_all()
            report = CheckReport(root, {Path("models/sound"): findings})
            text = click.unstyle(render_report(report, "text"))
            diff = apply_fixes(_find_all).diff()
    load, invocation = _observed(name)
    yield f"## {_words(name).capitalize()}\n"
    yield _block("diff", "\n".join(_changes(name)))
    yield "`slipway check` prints:\n"
    yield _block("", text.rpartition("\n\n")[0])
    yield f"The real server's answer to loading: {load}" + (
        f"; to an invocation: {invocation}\n" if invocation else "\n"
    )
    if diff:
        yield "`slipway check --fix` changes:\n"
        yield _block("diff", diff.rstrip())


@contextlib.contextmanager
def _no_cache(work: str) -> Iterator[None]:
    """Hide this machine's cache: a projected size includes an environment that it holds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLIPWAY_CACHE", str(Path(work, "cache")))
        yield


def _find_all() -> list[Finding]:
    return repositories.find_in(Path("models/sound"), Path.cwd())


def _changes(name: str) -> Iterator[str]:
    """Yield the mistake, as a diff against the good repository."""
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
    """Return a file's text; empty if it does not exist, ``None`` if it is not text."""
    if not file.exists():
        return ""
    try:
        text = file.read_bytes().decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def _observed(name: str) -> tuple[str, str]:
    observation = _observations().get(name, NOT_OBSERVED)
    load = _format_answer(observation["load"])
    if "sometimes" in observation:
        load += f", or sometimes {_format_answer(observation['sometimes'])}"
    return load, _format_answer(observation["invoke"])


@functools.cache
def _observations() -> Any:
    return json.loads(OBSERVED.read_text(encoding="utf-8"))


def _format_answer(answer: str) -> str:
    """Return an answer as code, unless it is a short plain sentence."""
    answer = answer.replace("\n", " ").replace("`", "'")
    return answer if answer.replace(" ", "").isalnum() or not answer else f"`{answer}`"


def _prose(text: str) -> str:
    """Return a text as Markdown, where `<name>` outside code would be read as a tag."""
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
    """Write every page, and remove those of rules that no longer exist."""
    PAGES.mkdir(parents=True, exist_ok=True)
    pages_by_name = pages()
    for stale in PAGES.glob("*.md"):
        if stale.name not in pages_by_name:
            stale.unlink()
    for name, text in pages_by_name.items():
        (PAGES / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
