"""Tell what a run was made from: the files that its stages read and none of them wrote."""

from __future__ import annotations

from pathlib import PurePosixPath

from slipway.training.run import DataFile, TrainingRun

# endings and names of files that a program is written in, or configured by
CODE = {".py", ".ipynb", ".sh", ".toml", ".yaml", ".yml", ".cfg", ".ini", ".lock", ".r", ".sql"}
CODE_NAMES = {"requirements.txt", "Dockerfile", "Makefile"}


def find_inputs(run: TrainingRun) -> tuple[DataFile, ...]:
    """Return the files that the run's stages read and none of them wrote, by path."""
    made = {out.path for stage in run.stages for out in stage.outs}
    files = {dep.path: dep for stage in run.stages for dep in stage.deps if dep.path not in made}
    return tuple(files[path] for path in sorted(files))


def is_code(file: DataFile) -> bool:
    """Return whether ``file`` is a program or its settings, judged by its name, and no data."""
    path = PurePosixPath(file.path)
    return path.suffix.lower() in CODE or path.name in CODE_NAMES
