"""The kept checks of a checkout: which of them still hold, and which models are checked again."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slipway.check.kept.entry import KeptCheck, from_json, to_json
from slipway.check.kept.environments import Environments
from slipway.check.kept.file import kept_file, read_kept, write_kept
from slipway.check.kept.folder import FolderState, read_folder
from slipway.check.kept.surroundings import MODELS, digest_of_surroundings, list_ignored
from slipway.settings import load

if TYPE_CHECKING:
    from slipway.check.kept.examine import Examined
    from slipway.settings import Settings

ALL = "*"  # asked, in place of one name, by who looks at the names of all folders
BYTECODE = ("__pycache__/", ".pyc")
POINTER = ".dvc"


@dataclass(frozen=True)
class _Facts:
    """What other folders' checks may ask of a folder."""

    configs: tuple[str, ...]
    served: str | None
    calls: tuple[str, ...]


@dataclass
class KeptChecks:
    """The kept checks of a checkout, by the names of the folders in ``models/``.

    ``folders`` are the states of all of these at the time ``at_ns``, and ``ignored`` the files in
    each of them that git ignores. ``names`` are the model folders among them, and ``facts`` are
    known of those that were checked.
    """

    root: Path
    file: Path
    at_ns: int
    surroundings: str
    environments: Environments
    folders: dict[str, FolderState]
    ignored: Mapping[str, list[str]]
    entries: dict[str, KeptCheck]
    written: dict[str, Any]
    names: list[str] = field(default_factory=list)
    facts: dict[str, _Facts] = field(default_factory=dict)

    def find_unchanged(self) -> dict[str, KeptCheck]:
        """Return the entries of folders in which nothing changed, by stat data or by content."""
        unchanged = {}
        for name, entry in self.entries.items():
            state = self.folders.get(name)
            if (
                state is None
                or not state.is_whole
                or entry.ignored != self._ignored_in(name)
                or entry.environments != self.environments.built_from(entry.lock)
            ):
                continue
            if entry.stat != state.stat:
                try:
                    if entry.content != state.content():
                        continue
                except OSError:
                    continue
                entry = replace(entry, stat=state.stat if state.is_settled(self.at_ns) else "")
            unchanged[name] = entry
            self.facts[name] = _Facts(state.configs, entry.served, entry.calls)
        return unchanged

    def add(self, name: str, examined: Examined) -> None:
        """Note what others may ask of a folder that was checked now."""
        configs = self.folders[name].configs if name in self.folders else ()
        self.facts[name] = _Facts(configs, examined.served, examined.calls)

    def still_hold(self, entries: Mapping[str, KeptCheck]) -> dict[str, KeptCheck]:
        """Return the entries whose questions to other folders have the same answers as then."""
        answers = self._answers()
        return {
            name: entry
            for name, entry in entries.items()
            if all(answers.get(asked, "") == answer for asked, answer in entry.asked.items())
        }

    def save(self, kept: Mapping[str, KeptCheck], examined: Mapping[str, Examined]) -> None:
        """Write what holds for the next check, unless that would find the same file.

        Nothing is written where what all models share changed during the check.
        """
        answers = self._answers()
        entries = dict(kept)
        for name, made in examined.items():
            if made.content and name in self.folders and made.stat == self.folders[name].stat:
                entries[name] = KeptCheck(
                    made.stat,
                    made.content,
                    self._ignored_in(name),
                    made.lock,
                    self.environments.built_from(made.lock),
                    {asked: answers.get(asked, "") for asked in made.asked},
                    made.served,
                    made.calls,
                    made.outcome,
                )
        content = {
            "surroundings": self.surroundings,
            "environments": self.environments.states,
            "models": {name: to_json(entry) for name, entry in sorted(entries.items())},
        }
        if content == self.written or (examined and not self._is_same_time()):
            return
        write_kept(self.file, content)

    def _is_same_time(self) -> bool:
        libraries = (list_ignored(self.root) or {}).get("", [])
        return (
            digest_of_surroundings(self.root, libraries) == self.surroundings
            and Environments(self.environments.states).states == self.environments.states
        )

    def _answers(self) -> dict[str, str]:
        """Return, by name, a digest of all that one folder's check can know of it in the others."""
        told: dict[str, list[str]] = {}
        for folder, state in sorted(self.folders.items()):
            facts = self.facts.get(folder)
            for name in state.configs:
                known = (
                    f"{facts.served == name} {name in facts.calls}"
                    if facts is not None
                    else f"unknown at {self.at_ns}"
                )
                told.setdefault(name, []).append(f"{folder} {known}")
        told[ALL] = self.names
        return {
            name: hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()
            for name, lines in told.items()
        }

    def _ignored_in(self, name: str) -> str:
        names = [
            file
            for file in self.ignored.get(name, ())
            if not (BYTECODE[0] in file and file.endswith(BYTECODE[1]))
        ]
        return hashlib.sha256("\0".join(names).encode("utf-8", "replace")).hexdigest()


def open_kept(settings: Settings) -> KeptChecks | None:
    """Return the kept checks of a checkout; ``None`` where it cannot be known what changed.

    That is so outside of git, where something cannot be read, and where a folder in ``models/`` or
    ``libs/`` is a link to elsewhere, or a model folder as a unit is under DVC.
    """
    root, at_ns = settings.root, time.time_ns()
    with ThreadPoolExecutor(1) as pool:  # git looks at all files, as this process does
        asked = pool.submit(list_ignored, root)
        folders = _read_models(root)
        ignored = asked.result()
    if folders is None or ignored is None:
        return None
    surroundings = digest_of_surroundings(root, ignored.get("", []))
    if surroundings is None or load(root) != settings:
        return None
    file = kept_file(root)
    written = read_kept(file)
    entries: dict[str, KeptCheck] = {}
    known: dict[str, list[str]] = {}
    if written.get("surroundings") == surroundings:
        try:
            entries = {name: from_json(values) for name, values in written["models"].items()}
            known = {name: list(state) for name, state in written["environments"].items()}
        except (AttributeError, KeyError, TypeError):
            entries, known = {}, {}  # of another form
    return KeptChecks(
        root, file, at_ns, surroundings, Environments(known), folders, ignored, entries, written
    )


def _read_models(root: Path) -> dict[str, FolderState] | None:
    if (root / f"{MODELS}{POINTER}").exists() or not (root / MODELS).is_dir():
        return None
    folders: dict[str, FolderState] = {}
    for path in sorted((root / MODELS).iterdir()):
        if path.is_symlink() or path.suffix == POINTER:
            return None
        if path.is_dir():
            folders[path.name] = read_folder(path)
    return folders


def check_all(
    kept: KeptChecks,
    names: Iterable[str],
    run: Callable[[list[str]], Mapping[str, Examined]],
) -> dict[str, KeptCheck | Examined]:
    """Return the outcome of each model folder: the kept one where it holds, else that of ``run``.

    ``run`` checks the folders of the given names, and leaves out one that it cannot check.
    """
    wanted = kept.names = sorted(names)
    found = kept.find_unchanged()
    unchanged = {name: found[name] for name in wanted if name in found}
    examined: dict[str, Examined] = {}

    def examine(missing: list[str]) -> None:
        for name, made in (run(missing) if missing else {}).items():
            examined[name] = made
            kept.add(name, made)

    examine([name for name in wanted if name not in unchanged])
    holding = kept.still_hold(unchanged)
    examine([name for name in unchanged if name not in holding])
    kept.save(holding, examined)
    return {**holding, **examined}
