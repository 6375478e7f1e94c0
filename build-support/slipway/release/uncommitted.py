"""Find what of an artifact is not in the commit that its record names.

``git status`` does not list ignored files, nor those that a user told it to assume unchanged, and
an artifact may have been packed from another state of the folder. So each packed file is compared.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from slipway.artifact.artifact import Artifact
from slipway.artifact.manifest import Manifest
from slipway.artifact.pack import packed_config
from slipway.artifact.pack_container import LOCK
from slipway.catalog.commit import DIRTY, Worktree, is_clean
from slipway.errors import SlipwayError
from slipway.model.any_folder import AnyFolder, packed_root, packed_sources, read_any_folder
from slipway.model.capture_rules import FILE_NAME as CAPTURE_RULES
from slipway.model.container_folder import ContainerFolder
from slipway.model.folder import VERSION_FILE, ModelFolder
from slipway.process import run
from slipway.profile.profile import FILE_NAME as PROFILE
from slipway.triton import config

LINK = "120000"  # git's mode of a symbolic link


def find_uncommitted(folder: Path, artifact: Artifact, worktree: Worktree) -> tuple[str, ...]:
    """Return what ``artifact``, packed from the model in ``folder``, has besides the commit of
    ``worktree``: paths with how they differ. Everything that git lists counts, packed or not.

    Raises:
        SlipwayError: the folder cannot be read, or git fails.
    """
    if worktree.commit is None:
        return ()
    model = read_any_folder(folder)
    found = [*worktree.changes, *_repacked(model, artifact), *_ignored(model)]
    return tuple(dict.fromkeys(found))


def _repacked(model: AnyFolder, artifact: Artifact) -> Iterator[str]:
    """Yield the sources that the folder has not, or not with these bytes."""
    files, manifest, root = packed_sources(model), artifact.manifest, packed_root(model)
    if isinstance(model, ContainerFolder):
        files[LOCK] = model.lock
    elif (model.path / PROFILE).is_file():
        files[_packed_profile(model, manifest)] = model.path / PROFILE
    home = "" if manifest.environment is None else str(manifest.environment["path"])
    for name in sorted({*files, *manifest.sources}):
        path = f"{_shown(root)}/{name}"
        if name not in files:
            yield f"{path} (packed, and not in the folder)"
        elif name not in manifest.sources:
            yield f"{path} (not packed)"
        else:
            data = files[name].read_bytes()
            versions = [data]
            owner = name.partition("/")[0]
            if home and name == f"{owner}/{config.FILE_NAME}":
                versions.append(packed_config(data, owner, home))
            if manifest.sources[name] not in {hashlib.sha256(d).hexdigest() for d in versions}:
                yield f"{path} (packed with other bytes)"
    for pointer in model.pointers:
        name = pointer.path.relative_to(root).as_posix()
        if manifest.weights.get(name, {}).get("md5") != pointer.md5:
            yield f"{_shown(root)}/{name} (packed with other weights than its pointer's)"


def _packed_profile(model: ModelFolder, manifest: Manifest) -> str:
    """Return the name of the reference profile in the artifact: it is beside the manifest, in a
    version directory of the served model."""
    ending, served = f"/{PROFILE}", f"{model.ensemble}/"
    packed = (
        name for name in manifest.sources if name.startswith(served) and name.endswith(ending)
    )
    return next(packed, PROFILE)


def _ignored(model: AnyFolder) -> Iterator[str]:
    """Yield the files of a model that are not in the commit as they are in the folder, whatever
    git was told to ignore."""
    named = [*packed_sources(model).values(), *model.pointer_files, model.path / VERSION_FILE]
    beside = (model.requirements, model.lock, model.path / PROFILE, model.path / CAPTURE_RULES)
    named += [file for file in beside if file.is_file()]
    top = Path(_git(model.path, "rev-parse", "--show-toplevel").strip())
    # what a link leads to is packed, not the link
    files = {file.resolve().relative_to(top.resolve()).as_posix(): file for file in named}
    listed = _git(top, "ls-tree", "-r", "-z", "HEAD", "--", *files)
    committed = dict(_entries(listed))
    paths = [path for path in files if "\n" not in path and path in committed]
    digests = _git(top, "hash-object", "--stdin-paths", stdin="".join(f"{p}\n" for p in paths))
    current = dict(zip(paths, digests.split(), strict=True))
    for path in sorted(files):
        if path not in committed:
            yield f"{path} (not in the commit)"
        elif current.get(path) != committed[path]:
            yield f"{path} (modified)"


def _entries(listed: str) -> Iterator[tuple[str, str]]:
    """Yield the path and the digest of each file in the output of ``git ls-tree -z``."""
    for entry in filter(None, listed.split("\0")):
        details, _, path = entry.partition("\t")
        mode, _, digest = details.split()
        if mode != LINK:
            yield path, digest


def _git(folder: Path, *words: str | Path, stdin: str | None = None) -> str:
    command: Sequence[str | Path] = ["git", "--literal-pathspecs", "-C", folder, *words]
    return run(command, what="asking git what is committed", stdin=stdin).stdout


def _shown(folder: Path) -> str:
    """Return a model's folder as git shows it."""
    prefix = _git(folder, "rev-parse", "--show-prefix").strip().rstrip("/")
    return prefix or "."


def require_clean_commit(required: bool, stage: str, target: str, commit: str | None) -> None:
    """Refuse a release whose bytes no commit has, where ``stage`` requires one.

    Raises:
        SlipwayError: its record names no commit, or one from which files differed.
    """
    if not required or is_clean(commit):
        return
    setting = f"clean_commit = false in [release.{stage}] of slipway.toml allows it"
    if commit is None:
        what = f"{stage} requires a commit, and none is recorded of this release"
        fix = f"publish it again from a git checkout; {setting}"
    else:
        digits = commit.removesuffix(DIRTY)[:12]
        what = f"{stage} requires a clean commit: files differed from {digits}, or were not in it"
        fix = f"commit them, or remove them, and publish it again; {setting}"
    raise SlipwayError(what, where=target, fix=fix)
