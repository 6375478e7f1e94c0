"""How a command line names models: ``NAME``, ``models/NAME`` or a path, from any folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from slipway.cli.exit_codes import print_error
from slipway.errors import SlipwayError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from slipway.settings import Settings

MODELS = "models"


class ModelName(click.ParamType[str]):
    """A model's name. The releases of a name outlive its folder, so none has to exist."""

    name = "model"

    def convert(self, value: Any, parameter: Any, context: Any) -> str:
        """Return the last part of a path, or the name as it is."""
        if value in (os.curdir, os.pardir):
            return Path(value).resolve().name
        return Path(value).name or str(value)

    def shell_complete(
        self, context: click.Context, parameter: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return the names of the repository's models that begin with ``incomplete``."""
        return _complete(incomplete)


class ModelFolder(click.ParamType[Path]):
    """The folder of a model. With ``missing_ok``, a model that was deleted is accepted, too."""

    name = "model"

    def __init__(self, *, missing_ok: bool = False) -> None:
        self.missing_ok = missing_ok

    def convert(self, value: Any, parameter: Any, context: Any) -> Path:
        """Return the folder, relative to the current one where its name allows it.

        Raises:
            SlipwayError: there is no such model; names those with a similar name.
        """
        return resolve_folder(str(value), Path.cwd(), missing_ok=self.missing_ok)

    def shell_complete(
        self, context: click.Context, parameter: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return the models' names, or let the shell complete a path."""
        from click.shell_completion import CompletionItem

        if os.sep in incomplete:
            return [CompletionItem(incomplete, type="dir")]
        return _complete(incomplete)


models_argument = click.argument("models", nargs=-1, type=ModelFolder(), metavar="[MODEL]...")
model_argument = click.argument("model", type=ModelFolder())
name_argument = click.argument("name", type=ModelName())
names_argument = click.argument("names", nargs=-1, type=ModelName(), metavar="[NAME]...")
artifact_option = click.option(
    "--artifact",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Use this artifact of the one MODEL instead of building it.",
)


def resolve_folder(value: str, start: Path, *, missing_ok: bool = False) -> Path:
    """Return the folder of the model that ``value`` names, as seen from the folder ``start``.

    ``value`` is a name below ``models/`` of the repository, ``models/NAME``, or a path.

    Raises:
        SlipwayError: there is no such folder; names those with a similar name.
    """
    import difflib

    from slipway import settings

    root = settings.find_root(start)
    path = Path(value)
    candidates = [start / path]
    if root is not None and not path.is_absolute():
        if len(path.parts) == 1 and value != os.pardir:
            candidates.insert(0, root / MODELS / path)
        elif path.parts[:1] == (MODELS,):
            candidates.append(root / path)
    for candidate in candidates:
        if candidate.is_dir():
            return _relative(candidate, start)
    if any(candidate.exists() for candidate in candidates):
        raise SlipwayError(
            "not a model's folder", where=value, fix=f"name a folder of {MODELS}/, or its name"
        )
    if missing_ok:
        return _relative(candidates[0], start)
    if root is None:
        settings.load(start)  # says that this is not a repository
    names = _names(start)
    near = difflib.get_close_matches(path.name, names, cutoff=0.5)
    hint = f"name one of: {', '.join(names)}" if names else f"slipway new {path.name}"
    raise SlipwayError(
        f"no model {value!r} in {MODELS}/",
        fix=f"did you mean {' or '.join(near)}?" if near else hint,
    )


def select_folders(
    models: Sequence[Path], settings: Settings, artifact: Path | None = None
) -> list[Path]:
    """Return the folders that were named, or those of every model of the repository.

    Raises:
        SlipwayError: there are none, or an artifact is given for several.
    """
    from slipway.model.folder import find_models

    folders = list(models) or find_models(settings.root)
    if not folders:
        raise SlipwayError("no model in it", where=str(settings.root / MODELS))
    if artifact is not None and len(folders) != 1:
        raise SlipwayError("--artifact is for one model", fix="name the model")
    return folders


def for_each(folders: Sequence[Path], action: Callable[[Path], bool | None]) -> int:
    """Call ``action`` for each folder; an error is printed and stops only its own model.

    Returns:
        1 if any failed or returned ``False``, else 0.
    """
    failed = 0
    for folder in folders:
        try:
            failed |= action(folder) is False
        except SlipwayError as error:
            print_error(error)
            failed = 1
    return int(failed)


def _names(start: Path) -> list[str]:
    from slipway.settings import find_root

    root = find_root(start)
    if root is None or not (root / MODELS).is_dir():
        return []
    folders = (path for path in (root / MODELS).iterdir() if path.is_dir())
    return sorted(folder.name for folder in folders if folder.name[0] not in "._")


def _complete(incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    names = _names(Path.cwd())
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def _relative(folder: Path, start: Path) -> Path:
    """Return a path that one would type, whose last part is the model's name."""
    relative = Path(os.path.relpath(folder, start))
    return folder.resolve() if relative.name in ("", os.pardir) else relative
