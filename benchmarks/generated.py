"""Make repositories of many models: copies of all sample models, under names of their own."""

from __future__ import annotations

import shutil
from pathlib import Path

from benchmarks.clone import clone, commit, copy_model
from slipway.model.folder import find_models

# one Python model without weights: its first artifact takes no second
SMALL = "reading_time"


def generate(folder: Path, models: int) -> Path:
    """Return a clone with ``models`` models, each a copy of another sample; weights are pointers,
    as after a clone. All is committed."""
    root = clone(folder)
    samples = [path.name for path in find_models(root)]
    for number in range(models - len(samples)):
        sample = samples[number % len(samples)]
        copy_model(root, f"{sample}_{number:04}", of=sample)
    commit(root)
    return root


def generate_small(folder: Path, models: int) -> Path:
    """Return a clone whose models are copies of :data:`SMALL` without an environment: Pants packs
    thousands of them in minutes, and decides as much for each as for a large one."""
    root = clone(folder)
    for path in find_models(root):
        if path.name != SMALL:
            shutil.rmtree(path)
    (root / "models" / "BUILD").unlink()  # names files of other samples
    for number in range(models - 1):
        copied = copy_model(root, f"{SMALL}_{number:04}", of=SMALL)
        for name in ("requirements.txt", "requirements.lock"):
            (copied / name).unlink()
    commit(root)
    return root
