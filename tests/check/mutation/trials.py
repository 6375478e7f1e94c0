"""Make one mistake at a time, and compare check with the real server."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from random import Random

from slipway.check import check
from slipway.settings import load
from slipway.triton.config import ModelConfig
from tests.check.endpoint_layout import is_served_by_chance
from tests.check.mutation import interface, kinds
from tests.check.mutation.kinds import Shares
from tests.check.mutation.mistake import Mistake
from tests.check.mutation.samples import Sample
from tests.check.real_server import NUMPY, OTHER_VALUES, Outcome, RealServer, difference

# most of the time is spent waiting for processes that start, and some for those that hang
SERVERS = 3
# what the samples' Python models import
PACKAGES = (*NUMPY, "PIL", "pillow.libs")
# warnings that say which other answer than the promised one a client gets
ANSWERS_DIFFER = {"SW517", "SW563"}
CHANCE = "the right model is served, since the file system lists it last"


@dataclass(frozen=True)
class Trial:
    """``flagged`` are the rules with an error of check, ``failure`` is what the server did wrong.

    ``warned`` are the rules that warn of an answer that differs from the promised one.

    ``other`` is whether the mistake created another valid model: the server answers as the changed
    config promises.
    """

    sample: str
    mistake: Mistake
    flagged: tuple[str, ...]
    failure: str
    other: bool
    warned: tuple[str, ...] = ()

    @property
    def fails(self) -> bool:
        """Return whether the model cannot be served."""
        return bool(self.failure) and not self.other

    @property
    def missed(self) -> bool:
        """Return whether the model fails, and check does not say so."""
        return self.fails and not self.flagged and not self.warned

    @property
    def differs_in_values(self) -> bool:
        """Return whether the answer has the promised form, and only other values."""
        return self.failure.endswith(OTHER_VALUES)

    @property
    def false(self) -> bool:
        """Return whether check reports an error although the model serves correctly."""
        return bool(self.flagged) and not self.failure


def run(
    chosen: Sequence[Sample], seed: int, count: int, shares: Shares = kinds.KINDS
) -> Iterator[Trial]:
    """Yield ``count`` trials, the same for the same ``seed``, of mistakes of these kinds."""
    with tempfile.TemporaryDirectory(prefix="slipway-mistakes-") as name, ExitStack() as stack:
        work = Path(name)
        free: SimpleQueue[RealServer] = SimpleQueue()
        for number in range(SERVERS):
            free.put(stack.enter_context(RealServer(work / f"server{number}", PACKAGES)))
        randoms = [Random(f"{seed} {number}") for number in range(count)]
        drawn = [(random.choice(chosen), random) for random in randoms]

        def valid_outcome(sample: Sample) -> Outcome:
            return _valid_outcome(sample, free, work / f"sound_{sample.name}")

        def run_one(number: int, right: Mapping[str, Outcome]) -> Trial:
            sample, random = drawn[number]
            root = work / f"mistake{number}"
            folder = sample.make(root)
            before = interface.served_config(folder)
            mistake = kinds.make(folder, random, shares)
            return _trial(sample, (folder, before), mistake, free, right[sample.name])

        with ThreadPoolExecutor(SERVERS) as pool:
            used = list({sample.name: sample for sample, _ in drawn}.values())
            right = dict(
                zip((sample.name for sample in used), pool.map(valid_outcome, used), strict=True)
            )
            yield from pool.map(lambda number: run_one(number, right), range(count))


def _valid_outcome(sample: Sample, free: SimpleQueue[RealServer], root: Path) -> Outcome:
    server = free.get()
    try:
        outcome = server.outcome(sample.make(root), sample.requests)
    finally:
        free.put(server)
    errors = [answer for answer in outcome.answers if isinstance(answer, str)]
    assert not outcome.refused and not errors, f"{sample.name}: {outcome}"
    return outcome


def _trial(
    sample: Sample,
    made: tuple[Path, ModelConfig | None],
    mistake: Mistake,
    free: SimpleQueue[RealServer],
    right: Outcome,
) -> Trial:
    folder, before = made
    findings = check([folder], load(folder.parents[1]))
    flagged = sorted({finding.rule for finding in findings if finding.severity == "error"})
    server = free.get()
    try:
        outcome = server.outcome(folder, sample.requests)
        failure = difference(right, outcome) or (CHANCE if is_served_by_chance(folder) else "")
        after = interface.served_config(folder)
        other = bool(
            failure
            and not outcome.refused
            and before
            and after
            and not interface.is_same(before, after)
            and interface.keeps_promise(
                after, server.outcome(folder, [interface.build_request(after, sample.examples)])
            )
        )
    finally:
        free.put(server)
    warned = sorted({finding.rule for finding in findings} & ANSWERS_DIFFER)
    return Trial(sample.name, mistake, tuple(flagged), failure, other, tuple(warned))
