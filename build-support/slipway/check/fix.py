"""``--fix``: what can be mended without a doubt is mended, checked again, and shown."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from google.protobuf import text_format

from slipway.check.finding import Edit, Finding, Move, Remove
from slipway.files import written_aside
from slipway.triton import config

ROUNDS = 10  # each mends what the one before brought to light

type Edits = Mapping[Path, list[Edit]]


@dataclass
class Mended:
    """What was done: ``before`` holds the edited files as they were, by where they are now."""

    before: dict[Path, str] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def diff(self) -> str:
        """Moves and removals, then a unified diff of the edited files; empty if nothing was done."""
        lines = [f"{line}\n" for line in self.done]
        for path, before in sorted(self.before.items()):
            now, _ = _read(path)
            names = (f"a/{path}", f"b/{path}")
            lines += _ended(
                difflib.unified_diff(before.splitlines(True), now.splitlines(True), *names)
            )
        return "".join(lines)


def mend(find: Callable[[], list[Finding]]) -> Mended:
    """Do what the findings' mends say, ask ``find`` again, and go on until nothing is left to do.

    A finding's mends are done all or not at all. Of findings whose mends overlap, the first is
    mended and the others wait for the next round. A mend that would leave a config that does not
    parse is refused, and said to be.
    """
    mended = Mended()
    for _ in range(ROUNDS):
        mended.refused.clear()
        findings = [finding for finding in find() if finding.mends]
        # edits first: the places in a file that is moved are found anew in the next round
        if not _edit(findings, mended) and not _rearrange(findings, mended):
            break
    return mended


def _edit(findings: Iterable[Finding], mended: Mended) -> bool:
    """Apply the mends of every finding that asks for edits alone; whether there were any."""
    chosen: dict[Path, list[Edit]] = {}
    for finding in findings:
        edits = _edits(finding)
        if sum(map(len, edits.values())) < len(finding.mends):
            continue
        tried = {file: [*chosen.get(file, ()), *added] for file, added in edits.items()}
        if any(_overlap(each) for each in tried.values()):
            continue
        if _agreed(finding, tried, mended):
            chosen |= tried
    _write(chosen, mended)
    return bool(chosen)


def _rearrange(findings: Iterable[Finding], mended: Mended) -> bool:
    """Apply the mends of the first finding that asks for a move or a removal; if there was one."""
    for finding in findings:
        edits = _edits(finding)
        others = [mend for mend in finding.mends if not isinstance(mend, Edit)]
        if not others or not _agreed(finding, edits, mended):
            continue
        _write(edits, mended)
        for mend in others:
            if isinstance(mend, Move):
                mend.target.parent.mkdir(exist_ok=True)
                mend.source.rename(mend.target)
                mended.before = {_moved(path, mend): text for path, text in mended.before.items()}
                mended.done.append(f"moved {mend.source} to {mend.target}")
            elif isinstance(mend, Remove):
                mend.path.rmdir()
                mended.done.append(f"removed the empty folder {mend.path}")
        return True
    return False


def _edits(finding: Finding) -> dict[Path, list[Edit]]:
    found: dict[Path, list[Edit]] = {}
    for mend in finding.mends:
        if isinstance(mend, Edit):
            found.setdefault(mend.file, []).append(mend)
    return found


def _agreed(finding: Finding, edits: Edits, mended: Mended) -> bool:
    """Whether nothing speaks against a finding's mends; what does is noted."""
    objections = [_objection(file, each) for file, each in edits.items()]
    for mend in finding.mends:
        if isinstance(mend, Move) and (mend.target.exists() or not mend.source.exists()):
            objections.append(f"{mend.target} exists already, or {mend.source} does not")
        if isinstance(mend, Remove) and not _is_empty(mend.path):
            objections.append(f"{mend.path} is no empty folder")
    for objection in filter(None, objections):
        mended.refused.append(f"{finding.place}: {finding.rule} is not mended: {objection}")
        return False
    return True


def _objection(file: Path, edits: Iterable[Edit]) -> str | None:
    """Why these edits of a file must not be made, or ``None``."""
    if file.is_symlink():
        return f"{file} is a link"
    text, newline = _read(file)
    if newline is None:
        return f"{file} mixes line ends"
    if file.suffix == Path(config.FILE_NAME).suffix:
        try:
            message = config.schema().ModelConfig()
            text_format.Parse(_applied(text, edits), message, allow_unknown_field=True)
        except text_format.ParseError as error:
            said = str(error).replace("\n", " ")
            return f"{file} would not parse: {said}"
    return None


def _overlap(edits: Iterable[Edit]) -> bool:
    before = Edit(Path(), -1, -1, "")
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        # lines may be added one behind the other at one place
        lines = before.start == edit.start == edit.end and before.text.endswith("\n")
        if edit.start < before.end or (edit.start == before.start and not lines):
            return True
        before = edit
    return False


def _write(edits: Edits, mended: Mended) -> None:
    for file, each in edits.items():
        text, newline = _read(file)
        mended.before.setdefault(file, text)
        with written_aside(file) as aside:
            aside.write_text(_applied(text, each), encoding="utf-8", newline=newline)
            aside.chmod(file.stat().st_mode)


def _applied(text: str, edits: Iterable[Edit]) -> str:
    pieces = []
    at = 0
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        pieces += [text[at : edit.start], edit.text]
        at = edit.end
    return "".join([*pieces, text[at:]])


def _read(file: Path) -> tuple[str, str | None]:
    """A file's text, and what ends its lines; ``None``: one here and another there."""
    with file.open(encoding="utf-8") as opened:
        text = opened.read()
        newlines = opened.newlines
    return text, None if isinstance(newlines, tuple) else newlines or "\n"


def _moved(path: Path, move: Move) -> Path:
    if path.is_relative_to(move.source):
        return move.target / path.relative_to(move.source)
    return path


def _is_empty(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink() and not any(path.iterdir())


def _ended(diff: Iterable[str]) -> Iterator[str]:
    for line in diff:
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
