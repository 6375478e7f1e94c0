"""Slipway's own client and ``slipway invoke``: the alias splits between two containers."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from slipway.catalog.alias import Alias, Variant
from slipway.catalog.alias_move import move_alias
from slipway.catalog.catalog import Catalog
from slipway.catalog.origin import Origin
from slipway.cli.endpoint.invoke import invoke
from slipway.client import Endpoint, InvocationError, ModelError
from slipway.endpoint.serving import RunningEndpoints
from slipway.errors import SlipwayError
from slipway.pipeline.smoke import run_smoke_test
from slipway.release.publish import Release
from slipway.settings import Settings
from slipway.store.open import open_stage
from tests.endpoint.containers.sample import FOREST, LOGISTIC, ROW


def probabilities(body: bytes) -> Any:
    return json.loads(body)["probabilities"][0]


def open_endpoint(repository: Settings, running: RunningEndpoints) -> Endpoint:
    return Endpoint("wines", settings=repository, url=running.url)


def split(repository: Settings, first: int, second: int, releases: list[Release]) -> None:
    weights = zip(releases, (first, second), strict=True)
    variants = tuple(Variant(release.target, weight) for release, weight in weights if weight)
    move_alias(open_stage(repository, "staging"), "wines", Alias(variants), "alias", Origin())


def test_a_release_is_served_once_it_is_deployed_and_the_alias_leads_to_it(
    repository: Settings, running: RunningEndpoints, releases: list[Release]
) -> None:
    assert releases[0].stays is None
    assert releases[1].stays is not None and "slipway alias wines 1.1.0" in releases[1].stays
    assert Catalog(open_stage(repository, "staging")).alias("wines").target == releases[0].target
    with open_endpoint(repository, running) as endpoint:
        reply = endpoint.container("wines").invoke(ROW.encode(), "text/csv")
        assert (probabilities(reply.body), reply.target) == (LOGISTIC, releases[0].target)
    split(repository, 0, 1, releases)
    try:
        with open_endpoint(repository, running) as endpoint:
            reply = endpoint.container("wines").invoke(ROW.encode(), "text/csv")
            assert (probabilities(reply.body), reply.target) == (FOREST, releases[1].target)
    finally:
        split(repository, 1, 0, releases)


def test_an_alias_splits_the_invocations_between_two_containers(
    repository: Settings, running: RunningEndpoints, releases: list[Release]
) -> None:
    split(repository, 3, 1, releases)
    try:
        with open_endpoint(repository, running) as endpoint:
            model = endpoint.container("wines")
            targets = Counter(
                model.invoke(ROW.encode(), "text/csv", key=f"user {number}").target
                for number in range(200)
            )
            same = {model.invoke(ROW.encode(), "text/csv", key="one").target for _ in range(5)}
    finally:
        split(repository, 1, 0, releases)
    # of 200 keys, whose places are fixed by their digests
    assert 130 < targets[releases[0].target] < 170
    assert sum(targets.values()) == 200 and len(same) == 1


def test_a_shadow_answers_the_same_request_and_is_compared(
    repository: Settings, running: RunningEndpoints, releases: list[Release]
) -> None:
    alias = Alias((Variant(releases[0].target, 1),), shadow=releases[1].target)
    move_alias(open_stage(repository, "staging"), "wines", alias, "alias", Origin())
    try:
        with open_endpoint(repository, running) as endpoint:
            reply = endpoint.container("wines").invoke(ROW.encode(), "text/csv")
            assert probabilities(reply.body) == LOGISTIC
            endpoint.close()  # waits for the shadow
            text = endpoint.metrics()
    finally:
        split(repository, 1, 0, releases)
    lines = [line for line in text.splitlines() if 'outcome="differed"' in line]
    assert any("_total{" in line and line.endswith(" 1.0") for line in lines)
    assert all(releases[1].target in line for line in lines)


def test_a_release_that_is_not_deployed_is_refused_by_the_endpoint(
    repository: Settings, running: RunningEndpoints
) -> None:
    with (
        open_endpoint(repository, running) as endpoint,
        pytest.raises(InvocationError, match="needs a new deployment"),
    ):
        endpoint.container("wines", target="wines_9.9.9.tar.gz").invoke(b"", "text/csv")


def test_errors_of_the_container_and_of_the_size_are_slipways(
    repository: Settings, running: RunningEndpoints
) -> None:
    with open_endpoint(repository, running) as endpoint:
        model = endpoint.container("wines")
        with pytest.raises(ModelError, match="rows of 13 numbers") as failed:
            model.invoke(b"1,2", "text/csv")
        assert failed.value.status == 400
        with pytest.raises(SlipwayError, match="6,291,457 bytes"):
            model.invoke(b"1" * 6_291_457, "text/csv")


def run(repository: Settings, monkeypatch: pytest.MonkeyPatch, *words: str) -> str:
    monkeypatch.chdir(repository.root)
    return CliRunner().invoke(invoke, words, catch_exceptions=False).output


def test_the_command_sends_a_file_or_json_and_prints_the_answer(
    repository: Settings,
    running: RunningEndpoints,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / "rows.csv"
    file.write_text(f"{ROW}\n{ROW}\n")
    words = ["wines", "--endpoint", "wines", "--url", running.url]
    sent = run(repository, monkeypatch, *words, str(file), "--accept", "text/csv")
    assert sent.splitlines() == ["0.001570,0.001525,0.996905"] * 2
    rows = json.dumps({"rows": [[float(cell) for cell in ROW.split(",")]]})
    answer = json.loads(run(repository, monkeypatch, *words, "--data", rows, "--json"))
    assert json.loads(answer["body"])["probabilities"] == [LOGISTIC]
    assert answer["content_type"] == "application/json"
    assert answer["target"].startswith("wines_1.0.0-rc.h")


def test_the_smoke_test_sends_the_golden_cases_to_the_containers(
    repository: Settings, running: RunningEndpoints, releases: list[Release]
) -> None:
    folder = repository.root / "models" / "wines"
    with open_endpoint(repository, running) as endpoint:
        passed = run_smoke_test(endpoint, "wines", folder)
        other = run_smoke_test(endpoint, "wines", folder, target="1.1.0")
    assert passed.passed and len(passed.answered[0].cases) == 2
    # the cases are those of the first release's weights
    assert not other.passed and "is 0.0, not 0.00157" in str(other.answered[0].cases)


@pytest.mark.parametrize(
    ("words", "message", "fix"),
    [
        (["wines", "--data", "{}"], "a container of its own serves wines", "--endpoint wines"),
        (["adder", "--endpoint", "wines", "--data", "{}"], "no container of adder", "rows"),
        (["wines", "--endpoint", "wines"], "one body", "FILE"),
    ],
)
def test_what_cannot_be_sent_is_said_with_what_to_do(
    repository: Settings,
    running: RunningEndpoints,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    message: str,
    fix: str,
) -> None:
    with pytest.raises(SlipwayError, match=message) as refused:
        run(repository, monkeypatch, *words)
    assert fix in str(refused.value.fix)
