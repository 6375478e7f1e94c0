"""What the record of a training keeps of its stages, from DVC's files after the run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from slipway.training.parameters import stage_parameters
from slipway.training.run import DataFile, Source, Stage
from slipway.training.stages import address_of, needed_by


def summarize(
    repo: Any, folder: Path, stages: Sequence[Any], sources: Mapping[str, Source]
) -> dict[str, Any]:
    """Return ``stages``, ``parameters``, ``metrics`` and ``outs`` as JSON values.

    ``outs`` has, for each output, its path, and whether it is DVC's (not git's). ``data`` has the
    paths of what else DVC keeps, and the stages read.
    """
    parameters = {name: value for name, (_, value) in stage_parameters(stages).items()}
    return {
        "stages": [
            asdict(_stage(repo, s, sources.get(address_of(s), "unchanged"))) for s in stages
        ],
        "parameters": parameters,
        "metrics": read_metrics(repo, folder, stages),
        "outs": {_path(repo, out): bool(out.use_cache) for stage in stages for out in stage.outs},
        "data": _data(repo, stages),
    }


def read_metrics(repo: Any, folder: Path, stages: Sequence[Any]) -> dict[str, float]:
    """Return the numbers in the stages' metrics files that are here, flattened as DVC does. A name
    that is in two files is preceded by its file, relative to ``folder``."""
    from dvc.utils.flatten import flatten

    files: dict[str, dict[str, float]] = {}
    for stage in stages:
        for out in stage.outs:
            if out.is_metric and out.exists:
                shown = repo.metrics.show(targets=[out.fs_path], on_error="return")
                for result in shown.get("", {}).get("data", {}).values():
                    data = result.get("data", {})
                    # DVC takes a file that is one number; its name is then that of the file
                    values = flatten(data) if isinstance(data, dict) else {_stem(out): data}
                    files[_name(out, folder)] = {
                        key: float(value)
                        for key, value in values.items()
                        if isinstance(value, int | float)
                    }
    names = [name for values in files.values() for name in values]
    return {
        (name if names.count(name) == 1 else f"{file}:{name}"): value
        for file, values in files.items()
        for name, value in values.items()
    }


def _stem(out: Any) -> str:
    return Path(out.fs_path).stem


def _stage(repo: Any, stage: Any, source: Source) -> Stage:
    from dvc.dependency.param import ParamsDependency

    deps = [dep for dep in stage.deps if not isinstance(dep, ParamsDependency)]
    return Stage(
        name=address_of(stage),
        cmd=stage.cmd if isinstance(stage.cmd, str) else "\n".join(stage.cmd or ()),
        deps=tuple(_file(repo, dep) for dep in deps),
        params={name: value for name, (_, value) in stage_parameters([stage]).items()},
        outs=tuple(_file(repo, out) for out in stage.outs),
        source=source,
    )


def _data(repo: Any, stages: Sequence[Any]) -> list[str]:
    needed = {before for stage in stages for before in needed_by(repo, stage)}
    return sorted(_path(repo, out) for stage in needed for out in stage.outs if out.use_cache)


def _file(repo: Any, entry: Any) -> DataFile:
    digest = entry.hash_info
    text = f"{digest.name}:{digest.value}" if digest else ""
    return DataFile(_path(repo, entry), text, entry.meta.size if entry.meta else None)


def _path(repo: Any, entry: Any) -> str:
    path = Path(entry.fs_path)
    root = Path(repo.root_dir)
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(entry)


def _name(out: Any, folder: Path) -> str:
    path = Path(out.fs_path)
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(out)
