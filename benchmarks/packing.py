"""Measure how fast the artifact is packed, and how large it is."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import recipe, result
from benchmarks.context import BenchmarkContext
from benchmarks.result import Report, interleaved
from slipway import build
from slipway.archive.writer import TarGzWriter
from slipway.artifact.pack import pack
from slipway.environment import build_environment


def measure(context: BenchmarkContext) -> list[Report]:
    """Compare packing with ``tar czf`` of the same tree, and the artifact with the recipe's."""
    tree = context.unpacked
    plain, fresh, packed = (context.work / f"{name}.tar.gz" for name in ("tar", "fresh", "packed"))
    environment = build.build_environment(context.model, context.settings)
    pointed = [pointer.path for pointer in context.model.pointers]
    files = {path: tree / path.relative_to(context.model.path) for path in pointed}
    seconds = interleaved(
        context.repeats(5),
        {
            "tar": lambda: _timed(lambda: recipe.tar(tree, plain)),
            "fresh": lambda: _timed(lambda: _compress(tree, fresh)),
            "packed": lambda: _timed(lambda: pack(context.model, environment, files, packed)),
        },
    )
    whole = context.work / "whole.tar.gz"
    unpruned = build_environment(context.model.lock, context.settings, with_pruned=False)
    pack(context.model, unpruned, files, whole)
    size = {
        path: path.stat().st_size
        for path in (plain, fresh, packed, whole, context.artifact, context.recipe_artifact)
    }
    same_tree = Report(
        "Packing",
        "tar czf of the same tree",
        [
            result.faster(
                "time, the environment's members copied, as users pack",
                seconds["packed"],
                seconds["tar"],
                result.seconds,
                at_least=6,
            ),
            result.faster(
                "time, everything compressed again",
                seconds["fresh"],
                seconds["tar"],
                result.seconds,
                at_least=6,
            ),
            result.compared(
                "size, members copied", size[packed], size[plain], result.megabytes, at_most=1.1
            ),
            result.compared(
                "size, compressed again", size[fresh], size[plain], result.megabytes, at_most=1.1
            ),
        ],
    )
    artifact = Report(
        "The artifact",
        "recipe",
        [
            result.compared(
                "size",
                size[context.artifact],
                size[context.recipe_artifact],
                result.megabytes,
                at_most=0.4,
            ),
            result.compared(
                "size without pruned.txt",
                size[whole],
                size[context.recipe_artifact],
                result.megabytes,
            ),
        ],
    )
    return [same_tree, artifact]


def _compress(tree: Path, into: Path) -> None:
    with into.open("wb") as out, TarGzWriter(out) as writer:
        for path in sorted(tree.rglob("*")):
            if path.is_file():
                mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
                writer.add_file(path.relative_to(tree).as_posix(), path, mode)


def _timed(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start
