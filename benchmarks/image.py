"""Measure an artifact whose environment the endpoint's image has, against one that brings it."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks import recipe, result
from benchmarks.context import BenchmarkContext
from benchmarks.loading import PHOTOGRAPH
from benchmarks.result import Report, interleaved
from slipway import build
from slipway.artifact.artifact import Artifact
from slipway.server import cpu_fallback, triton
from slipway.server.image_environments import find_environment
from slipway.settings.release import STAGES
from slipway.triton.datatypes import Array


def measure(context: BenchmarkContext) -> list[Report]:
    """Measure the size of both artifacts, and the way from their tarballs to the first answer."""
    packed = Artifact(context.artifact)
    environment = packed.manifest.environment or {}
    digest = str(environment["sha256"])
    stages = {
        name: replace(context.settings.stage(name), base_environments=(digest,)) for name in STAGES
    }
    settings = replace(context.settings, stages=stages)
    without = build.build(context.model.path, settings, context.work / "without environment")
    find_environment(digest, None)  # is in the image: not a part of any load
    photograph = (context.model.path / PHOTOGRAPH).read_bytes()
    inputs: dict[str, Array] = {"IMAGE": np.array([[photograph]], dtype=np.object_)}
    times = interleaved(
        context.repeats(5),
        {
            "ours": partial(_first_answer, context, without.path, inputs),
            "theirs": partial(_first_answer, context, packed.path, inputs),
        },
    )
    rows = [
        result.compared("artifact", without.size, packed.size, result.megabytes, at_most=0.05),
        result.compared(
            "from the tarball to the first answer",
            times["ours"],
            times["theirs"],
            result.seconds,
            at_most=0.6,
        ),
    ]
    return [Report("An environment in the endpoint's image", "one in the artifact", rows)]


def _first_answer(context: BenchmarkContext, artifact: Path, inputs: dict[str, Array]) -> float:
    with triton.start(context.settings) as server:
        folder = server.folder("a.tar.gz")
        folder.mkdir(parents=True)
        start = time.perf_counter()
        recipe.untar(artifact, folder)
        extracted = time.perf_counter() - start
        cpu_fallback.to_cpu(folder)
        start = time.perf_counter()
        server.load_extracted("a.tar.gz")
        server.invoke("a.tar.gz", inputs)
        return extracted + time.perf_counter() - start
