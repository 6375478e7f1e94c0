"""``--fix``: apply the fixes that are safe, check again, and show the diff."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from google.protobuf import text_format

from slipway.check.finding import Edit, Finding, Move, Remove
from slipway.files import atomic_write
from slipway.triton.config import FILE_NAME, schema

ROUNDS = 10  # each round fixes what the previous one revealed

type EditsByFile = Mapping[Path, list[Edit]]


@dataclass
class FixResult:
    """The changes made; ``before`` holds the old text of edited files, by their current paths."""

    before: dict[Path, str] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def diff(self) -> str:
        """Return moves and removals, then a unified diff of the edited files; may be empty."""
        lines = [f"{line}\n" for line in self.done]
        for path, before in sorted(self.before.items()):
            after, _ = _read_text(path)
            names = (f"a/{path}", f"b/{path}")
            lines += _with_newlines(
                difflib.unified_diff(before.splitlines(True), after.splitlines(True), *names)
            )
        return "".join(lines)


def apply_fixes(find: Callable[[], list[Finding]]) -> FixResult:
    """Apply the findings' fixes, call ``find`` again, and repeat until no fix is left.

    All fixes of a finding are applied, or none. Where the fixes of several findings overlap, the
    first finding is fixed and the others wait for the next round. A fix after which a config would
    not parse is refused and reported.
    """
    result = FixResult()
    for _ in range(ROUNDS):
        result.refused.clear()
        findings = [finding for finding in find() if finding.fixes]
        # edits first: locations in a file that is moved are computed again in the next round
        if not _apply_edits(findings, result) and not _apply_move(findings, result):
            break
    return result


def _apply_edits(findings: Iterable[Finding], result: FixResult) -> bool:
    """Apply the fixes of every finding that needs edits only; return whether there were any."""
    chosen: dict[Path, list[Edit]] = {}
    for finding in findings:
        edits = _edits_by_file(finding)
        if sum(map(len, edits.values())) < len(finding.fixes):
            continue
        candidate = {file: [*chosen.get(file, ()), *added] for file, added in edits.items()}
        if any(_overlap(file_edits) for file_edits in candidate.values()):
            continue
        if _is_accepted(finding, candidate, result):
            chosen |= candidate
    _write(chosen, result)
    return bool(chosen)


def _apply_move(findings: Iterable[Finding], result: FixResult) -> bool:
    """Apply the fixes of the first finding with a move or removal; return whether there was one."""
    for finding in findings:
        edits = _edits_by_file(finding)
        others = [fix for fix in finding.fixes if not isinstance(fix, Edit)]
        if not others or not _is_accepted(finding, edits, result):
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
        return True
    return False


def _edits_by_file(finding: Finding) -> dict[Path, list[Edit]]:
    edits: dict[Path, list[Edit]] = {}
    for fix in finding.fixes:
        if isinstance(fix, Edit):
            edits.setdefault(fix.file, []).append(fix)
    return edits


def _is_accepted(finding: Finding, edits: EditsByFile, result: FixResult) -> bool:
    """Return whether a finding's fixes can be applied; otherwise record the objection."""
    objections = [_objection(file, file_edits) for file, file_edits in edits.items()]
    for fix in finding.fixes:
        if isinstance(fix, Move) and (fix.target.exists() or not fix.source.exists()):
            objections.append(f"{fix.target} exists already, or {fix.source} does not")
        if isinstance(fix, Remove) and not _is_empty(fix.path):
            objections.append(f"{fix.path} is not an empty folder")
    for objection in filter(None, objections):
        result.refused.append(f"{finding.location}: {finding.rule} is not fixed: {objection}")
        return False
    return True


def _objection(file: Path, edits: Iterable[Edit]) -> str | None:
    """Return why these edits of a file must not be made, or ``None``."""
    if file.is_symlink():
        return f"{file} is a link"
    text, newline = _read_text(file)
    if newline is None:
        return f"{file} mixes line ends"
    if file.suffix == Path(FILE_NAME).suffix:
        try:
            message = schema().ModelConfig()
            text_format.Parse(_edited(text, edits), message, allow_unknown_field=True)
        except text_format.ParseError as error:
            reason = str(error).replace("\n", " ")
            return f"{file} would not parse: {reason}"
    return None


def _overlap(edits: Iterable[Edit]) -> bool:
    previous = Edit(Path(), -1, -1, "")
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        # several lines may be inserted at one position, one after the other
        lines = previous.start == edit.start == edit.end and previous.text.endswith("\n")
        if edit.start < previous.end or (edit.start == previous.start and not lines):
            return True
        previous = edit
    return False


def _write(edits: EditsByFile, result: FixResult) -> None:
    for file, file_edits in edits.items():
        text, newline = _read_text(file)
        result.before.setdefault(file, text)
        with atomic_write(file) as sibling:
            sibling.write_text(_edited(text, file_edits), encoding="utf-8", newline=newline)
            sibling.chmod(file.stat().st_mode)


def _edited(text: str, edits: Iterable[Edit]) -> str:
    pieces = []
    position = 0
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        pieces += [text[position : edit.start], edit.text]
        position = edit.end
    return "".join([*pieces, text[position:]])


def _read_text(file: Path) -> tuple[str, str | None]:
    """Return a file's text and its line ending, which is ``None`` if it has several kinds."""
    with file.open(encoding="utf-8") as stream:
        text = stream.read()
        newlines = stream.newlines
    return text, None if isinstance(newlines, tuple) else newlines or "\n"


def _moved(path: Path, move: Move) -> Path:
    if path.is_relative_to(move.source):
        return move.target / path.relative_to(move.source)
    return path


def _is_empty(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink() and not any(path.iterdir())


def _with_newlines(diff: Iterable[str]) -> Iterator[str]:
    for line in diff:
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
