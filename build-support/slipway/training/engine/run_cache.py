"""DVC's run cache, so that a stage that any machine has run is pulled and not repeated.

DVC itself keeps no run of a stage with a ``cache: false`` output that is neither metrics nor a
plot. It pushes entries without the objects of ``cache: false`` outputs, and pulls all entries of a
remote. Here the entry of a stage is fetched when the stage is about to run, and is pushed with its
objects. Format and places are DVC's own: ``dvc repro --pull`` reads them, too.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from dvc.exceptions import DvcException
from dvc.stage.cache import (
    RunCacheNotSupported,
    StageCache,
    _can_hash,
    _get_cache_hash,
    _get_stage_hash,
)

from slipway.model.weights import index_lock

HASH = "md5-dos2unix"  # of the folder runs/ in a remote: that of DVC 2, without files/md5


class RunCache(StageCache):  # type: ignore[misc]  # DVC has no types
    """The run cache of ``repo``; ``remote`` is where it is shared, ``None`` for nowhere."""

    def __init__(self, repo: Any, remote: str | None) -> None:
        super().__init__(repo)
        self._remote = remote
        self._asked: set[str] = set()

    def pull(self, remote: str | None, odb: Any = None) -> list[tuple[str, str]]:
        """Fetch nothing at once: see :meth:`_load`."""
        return []

    def _load(self, stage: Any) -> Any:
        """Return the entry of ``stage``, from the remote if there is none here."""
        return self._find(_get_stage_hash(stage)) if _can_hash(stage) else None

    def _find(self, key: str) -> Any:
        folder = self._get_cache_dir(key)
        if self._remote is not None and key not in self._asked and not os.path.isdir(folder):
            self._asked.add(key)
            self._transfer(key, pull=True)
        entries = list(os.scandir(folder)) if os.path.isdir(folder) else []
        newest = max(entries, key=lambda entry: entry.stat().st_mtime, default=None)
        return None if newest is None else self._load_cache(key, newest.name)

    def restore_without_inputs(self, stage: Any, inputs: Mapping[str, Any]) -> bool:
        """Have the outputs of a run of ``stage`` although some of its inputs are missing here;
        return whether there was such a run.

        ``inputs`` are outputs of stages by their path: ``dvc.lock`` knows what they were. Outputs
        with ``push: false`` may be missing: they are made where another stage that runs reads them.
        """
        from dvc.stage.loader import StageLoader
        from dvc.stage.serialize import to_single_stage_lockfile

        for dependency in stage.deps:
            known = inputs.get(dependency.fs_path)
            if dependency.exists:
                dependency.save()
            elif known is not None and known.hash_info:
                dependency.hash_info, dependency.meta = known.hash_info, known.meta
            else:
                return False
        # as _can_hash, which reads the inputs
        if stage.is_callback or stage.always_changed or not (stage.cmd and stage.deps):
            return False
        if not stage.outs or any(out.persist or not out.is_in_repo for out in stage.outs):
            return False
        entry = self._find(_get_cache_hash(to_single_stage_lockfile(stage), key=True))
        if not entry:
            return False
        cached = self._create_stage(entry, wdir=stage.wdir)
        if not cached.outs_cached() and self._remote is not None:
            for objects in cached.get_used_objs().values():
                self.repo.cloud.pull(objects)
        kept_there = {out.def_path for out in stage.outs if not out.can_push}
        missing = [out for out in cached.outs if out.changed_cache()]
        if any(out.def_path not in kept_there for out in missing):
            return False
        for out in cached.outs:
            if out not in missing:
                out.checkout(force=True)
        StageLoader.fill_from_lock(stage, entry)
        stage.dump(update_pipeline=False)
        return True

    def publish(self, stage: Any) -> None:
        """Keep the run of ``stage``, and push its entry with the objects of its outputs.

        Outputs with ``push: false`` are not pushed.

        Raises:
            DvcException: the remote cannot be reached or written to.
        """
        if not _can_hash(stage):  # it has no dependencies, or always changes
            return
        self.save(stage)
        if self._remote is None:
            return
        self._push_objects(stage)
        try:
            self._transfer(_get_stage_hash(stage), pull=False)
        except OSError as error:
            raise DvcException(f"the run cache cannot be pushed: {error}") from error

    def _push_objects(self, stage: Any) -> None:
        from dvc.stage.serialize import to_single_stage_lockfile

        entry = self._create_stage(to_single_stage_lockfile(stage), wdir=stage.wdir)
        kept_here = {out.def_path for out in stage.outs if not out.can_push}
        objects: set[Any] = set()
        for out in entry.outs:
            if out.def_path not in kept_here:
                for found in out.get_used_objs().values():
                    objects |= found
        if objects:
            result = self.repo.cloud.push(objects, remote=self._remote)
            if result.failed:
                raise DvcException(f"{len(result.failed)} files cannot be pushed")

    def _transfer(self, key: str, *, pull: bool) -> None:
        from dvc.fs import generic

        try:
            with index_lock(self.repo):
                odb = self.repo.cloud.get_remote_odb(self._remote, "run-cache", hash_name=HASH)
        except RunCacheNotSupported:
            return
        here, there = self.repo.cache.legacy, odb
        source, target = (there, here) if pull else (here, there)
        folder = source.fs.join(source.path, "runs", key[:2], key)
        if not source.fs.exists(folder):
            return
        for path in source.fs.find(folder):
            relative = source.fs.relpath(path, source.path).replace(os.sep, "/")
            copy = target.fs.join(target.path, *relative.split("/"))
            if not target.fs.exists(copy):
                target.fs.makedirs(target.fs.parent(copy), exist_ok=True)
                generic.copy(source.fs, path, target.fs, copy)
