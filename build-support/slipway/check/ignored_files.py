"""The files that git ignores, asked for once for all models."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from slipway.errors import SlipwayError
from slipway.process import run


class IgnoredFiles:
    """The files below ``models`` that git ignores and does not track.

    The first model folder is asked for alone, as most checks have only one. The second one asks for
    all of ``models`` at once: to start git takes longer than its answer.
    """

    def __init__(self, models: Path) -> None:
        self.models = models
        self.known: Mapping[str, list[str]] | None = None  # the answer for all of them, if asked
        self._asked: set[Path] = set()

    def within(self, folder: Path) -> set[Path]:
        """Return the ignored files in a model folder, resolved; none outside of a git checkout."""
        self._asked.add(folder)
        is_own_checkout = folder.is_symlink() or (folder / ".git").exists()
        is_first = len(self._asked) == 1 and self.known is None
        if is_first or is_own_checkout or folder.resolve().parent != self._resolved:
            names = _list_ignored(folder)
        else:
            names = self._by_model.get(folder.name, [])
        return {(folder / name).resolve() for name in names}

    @cached_property
    def _resolved(self) -> Path:
        return self.models.resolve()

    @cached_property
    def _by_model(self) -> Mapping[str, list[str]]:
        if self.known is not None:
            return self.known
        by_model: dict[str, list[str]] = {}
        for name in _list_ignored(self.models):
            model, _, rest = name.partition("/")
            by_model.setdefault(model, []).append(rest)
        return by_model


def _list_ignored(folder: Path) -> list[str]:
    command = ["git", "-C", str(folder), "ls-files", "--others", "--ignored"]
    try:
        listing = run([*command, "--exclude-standard", "-z"], what="asking git for ignored files")
    except SlipwayError:
        return []
    return [name for name in listing.stdout.split("\0") if name]
