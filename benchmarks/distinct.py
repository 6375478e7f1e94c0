"""Make models whose environments differ: copies of the samples, for builds side by side."""

from __future__ import annotations

import shutil
from pathlib import Path

from benchmarks.clone import clone, commit, copy_model
from slipway import settings
from slipway.environment.write_lock import lock_requirements
from slipway.model.folder import find_models, read_model_folder
from slipway.model.weights import Weights

# small packages of Python alone: each model requires others of them
SMALL = ("attrs", "certifi", "idna", "packaging", "six")


def generate_distinct(folder: Path, models: int) -> tuple[Path, list[str]]:
    """Return a clone with ``models`` copies of the samples, at most 31, and their names.

    Each requires what its sample does and a selection of small packages that no other has. Weights
    are files, for a worker has no DVC configuration; ``pruned.txt`` is of another lock.
    """
    root = clone(folder)
    configured = settings.load(root)
    samples = [path.name for path in find_models(root)]
    names = []
    for number in range(models):
        sample = samples[number % len(samples)]
        names.append(f"{sample}_{number:02}")
        copy = copy_model(root, names[-1], of=sample)
        shutil.rmtree(copy / "tests", ignore_errors=True)
        (copy / "pruned.txt").unlink(missing_ok=True)
        for pointer in read_model_folder(copy).pointers:
            Weights(root).pull(pointer, pointer.path)
        for left_over in (*copy.rglob("*.dvc"), *copy.rglob(".gitignore")):
            left_over.unlink()
        requirements = copy / "requirements.txt"
        chosen = [name for bit, name in enumerate(SMALL) if (number + 1) >> bit & 1]
        with requirements.open("a", encoding="utf-8") as file:
            file.write("".join(f"{name}\n" for name in chosen))
        lock_requirements(requirements, configured)
    for sample in samples:
        shutil.rmtree(root / "models" / sample)
    commit(root)
    return root, names
