"""Measure builds with a remote cache, and on two workers: BuildGrid on loopback."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import subprocess
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import result
from benchmarks.context import NAME, BenchmarkContext
from benchmarks.distinct import generate_distinct
from benchmarks.pants import PantsRepository, processor_seconds
from benchmarks.result import Report, Row
from ci.buildgrid.loopback import PYTHON, RemoteCache, Worker, database, postgres, serving, working

MODELS, FEW = 20, 3
# what a user's home keeps between builds: tools and downloads, but no environment that was built
TOOLS = (
    ".cache/pants/named_caches",
    ".cache/slipway/interpreters",
    ".cache/slipway/pants",
    ".cache/slipway/pex",
    ".cache/slipway/uv",
    ".cache/uv",
    ".config/pip",
    ".netrc",
)
ON_WORKERS = tuple(path for path in TOOLS if "pants" not in path)
WRITE = "SLIPWAY_REMOTE_CACHE_WRITE_TOKEN"


@dataclass(frozen=True)
class Build:
    """Seconds of a build, those of processors in all its programs, and its artifacts' digests."""

    wall: float
    processors: float
    artifacts: Mapping[str, str]


def measure(context: BenchmarkContext) -> list[Report]:
    """Measure one model in a new checkout with a cache, and many models on two workers.

    Every build starts with an empty store and a home without environments.
    """
    if subprocess.run([PYTHON, "-c", ""], stdout=subprocess.DEVNULL, check=False).returncode:
        return [Report("Remote cache: not measured, BuildGrid is not installed", "", [])]
    reports = [_measure_cache(context.work / "remote-cache")]
    programs = postgres()
    if programs is None:
        missing = "Remote execution: not measured, no PostgreSQL (apt-get install postgresql)"
        return [*reports, Report(missing, "", [])]
    models = FEW if context.quick else MODELS
    return [*reports, _measure_execution(context.work / "remote-execution", models, programs)]


def _measure_cache(work: Path) -> Report:
    with serving(work / "server") as server:

        def build(name: str, **variables: str) -> Build:
            folder = work / name
            home = _home(folder, TOOLS)
            repository = PantsRepository(folder, variables={"HOME": str(home), **variables})
            return _build(repository, [f"models/{NAME}:artifact"], [server])

        cache = {
            "SLIPWAY_REMOTE_CACHE": server.url,
            "SLIPWAY_REMOTE_CACHE_TOKEN": str(server.folder / "reader"),
        }
        without = build("without")
        filling = build("filling", **cache, **{WRITE: str(server.folder / "writer")})
        reading = build("reading", **cache)
    return Report(
        f"{NAME} in a new checkout, its daemon's start included",
        "without a cache",
        [
            *_compared("steps from a BuildGrid on loopback", reading, without),
            *_compared("the build that fills it", filling, without),
        ],
    )


def _measure_execution(work: Path, models: int, programs: Path) -> Report:
    # one more, built before the others are timed: the library itself is then installed
    root, (first, *names) = generate_distinct(work / "models", models + 1)
    targets = [f"models/{name}:artifact" for name in names]

    def start(name: str, **variables: str) -> PantsRepository:
        folder = work / name
        home = _home(folder, TOOLS)
        checkout = _clone(root, folder)
        # an input of every step, so that no build takes what another left in the server
        with (checkout / "slipway.toml").open("a", encoding="utf-8") as settings:
            settings.write(f"# {name}\n")
        repository = PantsRepository(folder, checkout, {"HOME": str(home), **variables})
        repository.run("package", f"models/{first}:artifact")
        return repository

    here = _build(start("here"), targets)
    with contextlib.ExitStack() as stack:
        sql = stack.enter_context(database(programs))
        server = stack.enter_context(serving(work / "server", "--open", "--sql", sql))
        one, other = (
            stack.enter_context(working(server.url, name, _home(work / name, ON_WORKERS)))
            for name in ("one", "other")
        )
        variables = {"SLIPWAY_REMOTE_CACHE": server.url, "SLIPWAY_REMOTE_EXECUTION": server.url}
        remote = _build(start("workers", **variables), targets, [server, one, other])
        repository = start("killed", **variables)
        killer = threading.Thread(target=_kill_in_the_middle, args=((one, other),), daemon=True)
        killer.start()
        killed = _build(repository, targets)
        killer.join(1)
        if killer.is_alive():
            raise RuntimeError("no worker had anything to pack, and none was killed")
    same = (
        set(here.artifacts.items()) & set(remote.artifacts.items()) & set(killed.artifacts.items())
    )
    return Report(
        f"{models} models with an environment each, on two workers of this machine",
        "here",
        [
            *_compared("on two workers", remote, here),
            result.compared(
                "one of them killed while it packs", killed.wall, here.wall, result.seconds
            ),
            Row(
                "artifacts with equal bytes in all three",
                result.number(len(same)),
                target=f"{models}",
                met=len(same) == models,
            ),
        ],
    )


def _clone(root: Path, folder: Path) -> Path:
    """Clone a generated repository: a checkout of its own for each build."""
    target = folder / "clone"
    subprocess.run(["git", "clone", "--quiet", str(root), str(target)], check=True)
    return target


def _compared(what: str, ours: Build, theirs: Build) -> list[Row]:
    return [
        result.compared(what, ours.wall, theirs.wall, result.seconds),
        result.compared(f"{what}: processors", ours.processors, theirs.processors, result.seconds),
    ]


def _build(
    repository: PantsRepository,
    targets: list[str],
    helpers: Iterable[RemoteCache | Worker] = (),
) -> Build:
    def used() -> float:
        others = [processor_seconds(each.process.pid, with_children=True) for each in helpers]
        return repository.processors(with_steps=True) + sum(others)

    dist = repository.root / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    before = used()
    try:
        wall = repository.run("package", *targets)
        processors = used() - before
    finally:
        repository.stop()
    return Build(
        wall,
        processors,
        {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in dist.glob("*.gz")},
    )


def _kill_in_the_middle(workers: Sequence[Worker]) -> None:
    """Kill the first worker that packs one more: with few models it may be either of them."""
    packed = [worker.began("pack") for worker in workers]
    while any(worker.process.poll() is None for worker in workers):
        for worker, before in zip(workers, packed, strict=True):
            if worker.began("pack") > before:
                worker.kill()
                return
        time.sleep(0.05)


def _home(folder: Path, kept: tuple[str, ...]) -> Path:
    """Return a new home folder with links to what the user's own home keeps."""
    home = folder / "home"
    for path in kept:
        if (Path.home() / path).exists():
            (home / path).parent.mkdir(parents=True, exist_ok=True)
            (home / path).symlink_to(Path.home() / path)
    home.mkdir(parents=True, exist_ok=True)
    return home
