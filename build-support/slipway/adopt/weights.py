"""Put the weights of an adopted model under DVC, or keep its pointers."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from slipway import settings, signature
from slipway.adopt.files import SourceFile
from slipway.adopt.plan import PlannedFolder
from slipway.adopt.steps import Step
from slipway.check.model_files import POINTER
from slipway.errors import SlipwayError
from slipway.model.pointer import load_pointer
from slipway.model.weights import Weights
from slipway.scaffold.foreign_weights import refuse_foreign

NEW = "slipway new"


def track_weights(
    target: Path, source: Path, planned: PlannedFolder, backend: str, store: Weights
) -> list[Step]:
    """Put weights under DVC; what is refused, or what the ``backend`` does not open, is a step."""
    try:
        weights = refuse_foreign(target, settings.load(store.root), backend)
        signature.add_weights(target, store)
    except SlipwayError as error:
        if target.with_name(target.name + POINTER).exists():
            raise
        fix = _made_anew(error.fix or "", target, source, planned.name)
        return [Step(planned.name, error.what, str(target), fix, "SW301")]
    if weights is not None and not weights.opened:
        what = f"{weights.about}, which the backend {backend!r} does not open"
        fix = _made_anew(weights.fix, target, source, planned.name)
        return [Step(planned.name, what, str(target), fix)]
    return []


def _made_anew(fix: str, target: Path, source: Path, folder: str) -> str:
    """Return a fix that makes a folder of the source, in place of the one that is adopted."""
    fix = fix.replace(str(target), str(source))
    return f"rm -r models/{folder}, then {fix}" if NEW in fix else fix


def write_pointer(
    file: SourceFile, target: Path, planned: PlannedFolder, backend: str, store: Weights
) -> list[Step]:
    """Keep a pointer: with its weights, from the source or DVC's cache and remote."""
    if target.exists() or file.path.with_suffix("").exists():
        return []  # its weights lie next to it, and are tracked from there
    shutil.copyfile(file.path, target)
    try:
        pointer = load_pointer(target)
    except SlipwayError as error:
        return [Step(planned.name, error.what, str(target), error.fix or "", "SW305")]
    cached = _objects_of_source(file.path, pointer.md5)
    weights = target.with_suffix("")
    if cached is not None:
        shutil.copyfile(cached, weights)
        weights.chmod(0o644)
        target.unlink()
        return track_weights(weights, file.path.with_suffix(""), planned, backend, store)
    try:
        store.pull(pointer, weights)
        signature.sign_weights(pointer, store)
    except SlipwayError as error:
        what = f"the weights of this pointer are not here: {error.what}"
        fix = (
            f"dvc pull {file.path} in the source, copy the file to {weights}, and slipway weights"
            f" add {weights}"
        )
        return [Step(planned.name, what, str(target), fix, "SW302")]
    return []


def _objects_of_source(pointer: Path, md5: str) -> Path | None:
    """Return the object of a single file in the cache or the local remote of the source's DVC."""
    from dvc.config import Config
    from dvc.exceptions import DvcException

    root = next((folder for folder in pointer.parents if (folder / ".dvc").is_dir()), None)
    if root is None or md5.endswith(".dir"):
        return None
    places = [root / ".dvc" / "cache" / "files" / "md5"]
    try:
        config = Config(str(root / ".dvc"), validate=False)
    except DvcException:
        config = None
    for remote in (config or {}).get("remote", {}).values():
        url = str(remote.get("url", ""))
        if "://" not in url and url:
            places.append(Path(os.path.normpath(root / ".dvc" / url)) / "files" / "md5")
    objects = (place / md5[:2] / md5[2:] for place in places)
    return next((path for path in objects if path.is_file()), None)
