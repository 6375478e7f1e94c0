"""`slipway infra`, as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from slipway.cli.infrastructure.infra import infra
from slipway.errors import SlipwayError
from tests.infra.conftest import Repository

pytestmark = pytest.mark.filterwarnings("ignore:Tried to parse")


@pytest.fixture
def here(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """The repository, as the folder that commands are typed in."""
    monkeypatch.chdir(repository.root)
    return repository


def typed(*words: str) -> str:
    """What the command prints; its errors are raised."""
    done = CliRunner().invoke(infra, words, catch_exceptions=False, standalone_mode=False)
    return done.output


def test_an_environment_is_planned_deployed_and_described(moto: str, here: Repository) -> None:
    said = typed("plan", "staging")
    assert "ReleaseBucket" in said and "AWS::S3::Bucket" in said
    assert "a new stack; " in said and "0 that replace or remove" in said
    said = typed("deploy", "staging", "--yes")
    assert "CREATE_COMPLETE" in said and "protected from deletion" in said
    assert typed("deploy", "staging", "--yes") == f"{here.project}-staging: nothing to change\n"
    assert json.loads(typed("plan", "staging", "--json"))["changes"] == []
    made = json.loads(typed("outputs", "staging", "--json"))
    assert made["EndpointName"] == f"{here.project}-staging"
    assert f"export SLIPWAY_STAGING_ENDPOINT={here.project}-staging" in typed(
        "outputs", "staging", "--env"
    )
    assert "What the pipeline takes to publish" in typed("outputs", "staging")


def test_nothing_is_done_where_nobody_can_be_asked(moto: str, here: Repository) -> None:
    with pytest.raises(SlipwayError, match="standard input is not a terminal"):
        typed("deploy", "staging")
    with pytest.raises(SlipwayError, match="not deployed"):
        typed("outputs", "staging")


def test_a_load_test_is_planned_with_and_the_lines_to_keep_are_said(
    moto: str, here: Repository, tmp_path: Path
) -> None:
    report = tmp_path / "loadtest.json"
    report.write_text(
        json.dumps(
            {
                "target": {"invocations_per_instance": 4242},
                "knee": {"limit": 0.2},
                "results": {"first_loads": []},
                "fleet": None,
            }
        )
    )
    said = typed("plan", "staging", "--from-loadtest", str(report))
    assert "InvocationsPerInstance = 4242" in said and "to keep it, add to [parameters] of" in said
    said = typed("plan", "staging", "--from-loadtest", str(report), "--json")
    assert json.loads(said)["measured"]["InvocationsPerInstance"] == "4242"


def test_production_from_a_folder_that_is_no_checkout_is_refused(here: Repository) -> None:
    with pytest.raises(SlipwayError, match="checking that the infrastructure is committed"):
        typed("deploy", "production", "--yes")


def test_without_a_region_the_fix_says_where_to_write_it(
    here: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for key in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(key, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test-secret")
    with pytest.raises(SlipwayError, match="no AWS region"):
        typed("outputs", "staging")
