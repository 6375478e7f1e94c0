"""Measure the time from a target model's files, and from its tarball, to its first answer."""

from __future__ import annotations

import tarfile
import time
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks import recipe, result
from benchmarks.context import BenchmarkContext
from benchmarks.result import Report, interleaved, median
from slipway.server import cpu_fallback, triton
from slipway.triton.datatypes import Array

PHOTOGRAPH = "tests/cases/photograph/photo.jpg"
PARTS = ("extraction", "first", "second")
LAYOUTS = {"ours": "environment unpacked, as users get it", "archive": "layout archive"}


def measure(context: BenchmarkContext) -> list[Report]:
    """Measure a first and a second target model, in a new server each time."""
    photograph = (context.model.path / PHOTOGRAPH).read_bytes()
    inputs = {"IMAGE": np.array([[photograph]], dtype=np.object_)}
    artifacts = {
        "ours": context.artifact,
        "recipe": context.recipe_artifact,
        "archive": context.archive_artifact,
    }
    runs_by_name: dict[str, list[dict[str, float]]] = {name: [] for name in artifacts}

    def once(name: str) -> float:
        times = _times(context, artifacts[name], inputs, auto_complete=name == "recipe")
        runs_by_name[name].append(times)
        return times["extraction"] + times["first"]

    total = interleaved(context.repeats(5), {name: partial(once, name) for name in artifacts})
    parts = {
        name: {part: median([times[part] for times in runs]) for part in PARTS}
        for name, runs in runs_by_name.items()
    }
    reports = [_report(name, parts, total) for name in LAYOUTS]
    return [*reports, _content(artifacts["ours"], artifacts["recipe"])]


def _content(ours: Path, theirs: Path) -> Report:
    """Compare what `tar` and Triton unpack, which no load on the machine changes."""
    # Triton unpacks the recipe's environment once for each Python model
    (our_files, our_bytes), (their_files, their_bytes) = map(_unpacked, (ours, theirs))
    rows = [
        result.compared("files", our_files, their_files, result.number),
        result.compared("bytes", our_bytes, their_bytes, result.megabytes),
    ]
    return Report("What is unpacked up to the first answer", "recipe", rows)


def _unpacked(artifact: Path) -> tuple[int, int]:
    """Return number and bytes of the files in an artifact and in the environments in it."""
    sizes = []
    with tarfile.open(artifact) as archive:
        for member in archive:
            sizes += [member.size] if member.isfile() else []
            stream = archive.extractfile(member) if member.name.endswith(recipe.ARCHIVE) else None
            if stream is not None:
                with tarfile.open(fileobj=stream) as environment:
                    sizes += [file.size for file in environment if not file.isdir()]
    return len(sizes), sum(sizes)


def _report(name: str, parts: dict[str, dict[str, float]], total: dict[str, float]) -> Report:
    ours, theirs, judged = parts[name], parts["recipe"], name == "ours"
    rows = [
        result.compared(
            what, ours[part], theirs[part], result.seconds, at_most=0.09 if judged else None
        )
        for part, what in (
            ("first", "first model in a fresh server"),
            ("second", "second model in the same server"),
        )
    ]
    rows += [
        result.compared(
            "tar xzf of the artifact", ours["extraction"], theirs["extraction"], result.seconds
        ),
        result.compared(
            "from the tarball to the first answer",
            total[name],
            total["recipe"],
            result.seconds,
            at_most=0.22 if judged else None,
        ),
    ]
    return Report(f"Load on Triton to the first answer, {LAYOUTS[name]}", "recipe", rows)


def _times(
    context: BenchmarkContext, artifact: Path, inputs: dict[str, Array], *, auto_complete: bool
) -> dict[str, float]:
    times: dict[str, float] = {}
    with triton.start(context.settings, auto_complete=auto_complete) as server:
        for part, target in (("first", "a.tar.gz"), ("second", "b.tar.gz")):
            folder = server.folder(target)
            folder.mkdir(parents=True)
            start = time.perf_counter()
            recipe.untar(artifact, folder)
            times.setdefault("extraction", time.perf_counter() - start)
            cpu_fallback.to_cpu(folder)
            start = time.perf_counter()
            server.load_extracted(target)
            server.invoke(target, inputs)
            times[part] = time.perf_counter() - start
    return times
