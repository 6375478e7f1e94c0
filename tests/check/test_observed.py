"""``observed.json`` matches the real server's answers for each bad fixture."""

from __future__ import annotations

import json
from collections.abc import Mapping

from tests import thorough
from tests.check import fixture_repositories, observations
from tests.check.observations import Observation
from tests.check.real_server import DEAD

HINT = "write it again: PYTHONPATH=build-support:. python -m tests.check.observations"
TIMES = 10


def asked_again(observed: Mapping[str, Observation]) -> list[str]:
    """Return the fixtures whose answer may change though their files did not.

    Graphs are served by this repository's own backends: all of them. The rest is Triton's core and
    its Python backend, which the lock pins by their hash: of the first fixtures of all rules, one
    for each different answer.
    """
    names = list(observed)
    first = {name.split("_")[0]: name for name in reversed(names)}
    answers = {
        (observed[name]["load"], observed[name]["invoke"]): name
        for name in reversed(names)
        if name in first.values()
    }
    return [name for name in names if name.startswith("SW3") or name in answers.values()]


def test_each_fixture_was_observed_as_it_is() -> None:
    observed = json.loads(observations.OBSERVED.read_text(encoding="utf-8"))
    assert list(observed) == fixture_repositories.names(), HINT
    digests = {name: observations.files_digest(name) for name in observed}
    assert {name: each[observations.FILES] for name, each in observed.items()} == digests, HINT


def test_the_real_server_still_does_what_was_observed() -> None:
    observed = json.loads(observations.OBSERVED.read_text(encoding="utf-8"))
    names = list(observed) if thorough.THOROUGH else asked_again(observed)
    # 24.10 sometimes dies during a load, even of valid models: repeat the fixtures that differ
    for _ in range(TIMES):
        answers = observations.observe(names)
        names = [
            name for name in names if not observations.is_as_observed(answers[name], observed[name])
        ]
        if not names:
            return
    assert answers == {name: observed[name] for name in answers}, HINT


def test_a_load_that_sometimes_ends_the_server_is_written_down_with_both_ends() -> None:
    """Native-onnxruntime, 2: seen with NVIDIA's backend and with this one, so it is the core's."""
    observed = json.loads(observations.OBSERVED.read_text(encoding="utf-8"))
    warmup = observed["SW243_warmup_of_nine"]
    assert "failed to run warmup sample" in warmup["load"]
    assert warmup[observations.SOMETIMES] == DEAD
    dead = {"load": DEAD, "invoke": ""}
    assert observations.is_as_observed(dead, warmup)
    assert not observations.is_as_observed({"load": "200", "invoke": ""}, warmup)
    assert not observations.is_as_observed(dead, {"load": "200", "invoke": ""})
