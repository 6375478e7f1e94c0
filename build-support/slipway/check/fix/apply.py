"""``--fix``: apply the fixes that are safe, check again, and show the diff."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from slipway.check.finding import Create, Edit, Finding, Fix, Lock, Move, Remove
from slipway.check.fix.edits import edited, objection, overlap, read_text, with_newlines
from slipway.errors import SlipwayError
from slipway.files import atomic_write

ROUNDS = 100  # each round fixes what the previous one revealed, and never one finding twice

type EditsByFile = Mapping[Path, list[Edit]]


@dataclass
class FixResult:
    """The changes made; ``before`` holds the old text of edited files, by their current paths."""

    before: dict[Path, str] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def diff(self) -> str:
        """Return moves, removals and locks, then a unified diff of the files; may be empty."""
        lines = [f"{line}\n" for line in self.done]
        for path, before in sorted(self.before.items()):
            after, _ = read_text(path)
            names = (f"a/{path}", f"b/{path}")
            lines += with_newlines(
                difflib.unified_diff(before.splitlines(True), after.splitlines(True), *names)
            )
        return "".join(lines)


def apply_fixes(
    find: Callable[[], list[Finding]], lock: Callable[[Path], object] | None = None
) -> FixResult:
    """Apply the findings' fixes, call ``find`` again, and repeat until no fix is left.

    All fixes of a finding are applied, or none. Where the fixes of several findings overlap, the
    first finding is fixed and the others wait for the next round. A fix after which a config or a
    Python file would not parse is refused and reported. ``lock`` locks a requirements file and
    raises SlipwayError if it cannot; without it, no requirements are locked.
    """
    result = FixResult()
    done: set[tuple[object, ...]] = set()
    locked: dict[Path, str] = {}
    for _ in range(ROUNDS):
        result.refused.clear()
        result.refused += [objection for objection in locked.values() if objection]
        findings = [
            finding for finding in find() if finding.fixes and _identity(finding) not in done
        ]
        # edits first: locations in a file that is moved are computed again in the next round
        applied = _apply_edits(findings, result) or _apply_structural(findings, result)
        if not applied and (lock is None or not _apply_locks(findings, result, locked, lock)):
            break
        done |= set(map(_identity, applied))
    return result


def _identity(finding: Finding) -> tuple[object, ...]:
    return (*finding.key, finding.fixes)


def _apply_edits(findings: Iterable[Finding], result: FixResult) -> list[Finding]:
    """Apply the fixes of every finding that needs edits only; return these findings."""
    chosen: dict[Path, list[Edit]] = {}
    applied = []
    for finding in findings:
        edits = _edits_by_file(finding)
        if sum(map(len, edits.values())) < len(finding.fixes):
            continue
        candidate = {file: [*chosen.get(file, ()), *added] for file, added in edits.items()}
        if any(overlap(file_edits) for file_edits in candidate.values()):
            continue
        if _is_accepted(finding, candidate, result):
            chosen |= candidate
            applied.append(finding)
    _write(chosen, result)
    return applied


def _apply_structural(findings: Iterable[Finding], result: FixResult) -> list[Finding]:
    """Apply the findings with a move, a removal or a new file; return these findings.

    Of those that touch the same file or folder, only the first.
    """
    touched: list[Path] = []
    applied = []
    for finding in findings:
        others = [fix for fix in finding.fixes if not isinstance(fix, Edit | Lock)]
        paths = list(map(_path_of, finding.fixes))
        if not others or any(_same_tree(path, other) for path in paths for other in touched):
            continue
        edits = _edits_by_file(finding)
        if not _is_accepted(finding, edits, result):
            continue
        _write(edits, result)
        for fix in others:
            if isinstance(fix, Move):
                fix.target.parent.mkdir(exist_ok=True)
                fix.source.rename(fix.target)
                result.before = {_moved(path, fix): text for path, text in result.before.items()}
                result.done.append(f"moved {fix.source} to {fix.target}")
            elif isinstance(fix, Remove):
                fix.path.rmdir()
                result.done.append(f"removed the empty folder {fix.path}")
            elif isinstance(fix, Create):
                with atomic_write(fix.path) as sibling:
                    sibling.write_text(fix.text, encoding="utf-8")
                result.before.setdefault(fix.path, "")
        touched += paths
        applied.append(finding)
    return applied


def _apply_locks(
    findings: Iterable[Finding],
    result: FixResult,
    locked: dict[Path, str],
    lock: Callable[[Path], object],
) -> bool:
    """Lock each requirements file once; return whether one was locked.

    ``locked`` maps the files to why they could not be locked, or to an empty text.
    """
    any_locked = False
    for finding in findings:
        for fix in finding.fixes:
            if not isinstance(fix, Lock) or fix.requirements in locked:
                continue
            try:
                lock(fix.requirements)
            except SlipwayError as error:
                objection = f"{finding.location}: {finding.rule} is not fixed: {error.what}"
                locked[fix.requirements] = objection
                result.refused.append(objection)
                continue
            locked[fix.requirements] = ""
            any_locked = True
            result.done.append(f"locked {fix.requirements}")
    return any_locked


def _path_of(fix: Fix) -> Path:
    match fix:
        case Edit():
            return fix.file
        case Move():
            return fix.source
        case Lock():
            return fix.requirements
    return fix.path


def _same_tree(path: Path, other: Path) -> bool:
    return path.is_relative_to(other) or other.is_relative_to(path)


def _edits_by_file(finding: Finding) -> dict[Path, list[Edit]]:
    edits: dict[Path, list[Edit]] = {}
    for fix in finding.fixes:
        if isinstance(fix, Edit):
            edits.setdefault(fix.file, []).append(fix)
    return edits


def _is_accepted(finding: Finding, edits: EditsByFile, result: FixResult) -> bool:
    """Return whether a finding's fixes can be applied; otherwise record the objection."""
    objections = [objection(file, file_edits) for file, file_edits in edits.items()]
    for fix in finding.fixes:
        if isinstance(fix, Move) and (fix.target.exists() or not fix.source.exists()):
            objections.append(f"{fix.target} exists already, or {fix.source} does not")
        if isinstance(fix, Create) and (fix.path.exists() or not fix.path.parent.is_dir()):
            objections.append(f"{fix.path} exists already, or its folder does not")
        if isinstance(fix, Remove) and not _is_empty(fix.path):
            objections.append(f"{fix.path} is not an empty folder")
    for reason in filter(None, objections):
        result.refused.append(f"{finding.location}: {finding.rule} is not fixed: {reason}")
        return False
    return True


def _write(edits: EditsByFile, result: FixResult) -> None:
    for file, file_edits in edits.items():
        text, newline = read_text(file)
        result.before.setdefault(file, text)
        with atomic_write(file) as sibling:
            sibling.write_text(edited(text, file_edits), encoding="utf-8", newline=newline)
            sibling.chmod(file.stat().st_mode)


def _moved(path: Path, move: Move) -> Path:
    if path.is_relative_to(move.source):
        return move.target / path.relative_to(move.source)
    return path


def _is_empty(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink() and not any(path.iterdir())
