"""Verify many releases, several at once, and continue where an interrupted run was."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait

from slipway.release.runs.resumable import Resumable
from slipway.release.verify import ReleaseCheck, SelectedRelease, verify
from slipway.settings import Settings
from slipway.store.open import open_stage

READERS = 4  # artifacts at once
AHEAD = 4 * READERS  # of those that are handed out


def unfinished_run(settings: Settings, releases: Sequence[SelectedRelease]) -> Resumable:
    """Return the notes of the run before this one, if it did not reach its end."""
    stages = sorted({release.stage for release in releases})
    return Resumable("verify", [f"{stage} {settings.stage(stage)}" for stage in stages])


def verified_before(run: Resumable, release: SelectedRelease) -> ReleaseCheck | None:
    """Return the result of ``release`` in an unfinished run, if it was sound, and neither its
    record nor its artifact was replaced since."""
    noted = run.get(f"{release.stage}/{release.target}")
    if not release.versions or not noted or noted[0] != list(release.versions):
        return None
    return ReleaseCheck(release.stage, release.name, release.target, int(noted[1]), ())


def verify_all(
    settings: Settings,
    releases: Sequence[SelectedRelease],
    run: Resumable,
    progress: Callable[[int], object] = lambda _: None,
) -> Iterator[ReleaseCheck]:
    """Yield the result of each of ``releases``, in their order; what ``run`` has is not read again.

    Only a few are handed out at a time. Sound ones are noted in ``run``, which is finished at the
    end. ``progress`` is called with numbers of bytes.

    Raises:
        SlipwayError: a store cannot be reached.
    """
    sources = {stage: open_stage(settings, stage) for stage in {each.stage for each in releases}}

    def check(release: SelectedRelease) -> ReleaseCheck:
        before = verified_before(run, release)
        if before is not None:
            return before
        result = verify(settings, release, progress, sources[release.stage])
        if not result.problems and release.versions:
            run.add(f"{release.stage}/{release.target}", [release.versions, result.size])
        return result

    with ThreadPoolExecutor(READERS) as pool:
        running: list[Future[ReleaseCheck]] = []
        try:
            for release in releases:
                running.append(pool.submit(check, release))
                if len(running) >= AHEAD:
                    yield running.pop(0).result()
            while running:
                yield running.pop(0).result()
        finally:
            for future in running:
                future.cancel()
            wait(running)
    run.finish()
