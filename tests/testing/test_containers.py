"""Containers' models through the commands: tested, published, promoted, as those of Triton."""

from __future__ import annotations

import hashlib
import json
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from slipway import settings
from slipway.catalog.catalog import Catalog
from slipway.errors import SlipwayError
from slipway.server.container.call import ContainerAnswer
from slipway.settings import Settings
from slipway.store.open import open_stage
from slipway.testing.container import cases
from slipway.testing.container.cases import ContainerCase
from tests.endpoint.containers import sample


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The sample, committed."""
    configured = sample.copy_repository(tmp_path_factory.mktemp("repository"))
    (configured.root / ".gitignore").write_text("dist/\n.slipway/\n.pytest_cache/\n__pycache__/\n")
    git = ["git", "-c", "user.email=a@example.org", "-c", "user.name=a"]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "sample"]):
        subprocess.run([*git, *words], cwd=configured.root, check=True)
    return configured


def slipway(repository: Settings, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "slipway", *words],
        cwd=repository.root,
        env=sample.ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_container_is_tested_published_and_promoted(repository: Settings) -> None:
    tested = slipway(repository, "test", "wines")
    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert "4 passed" in tested.stdout  # its own test, two golden cases, the contract
    published = slipway(repository, "publish", "wines")
    assert "4 of 4 tests passed" in published.stdout
    assert "uncommitted" not in published.stderr
    described = slipway(repository, "describe", "wines").stdout
    assert "container wines-1-0-0-rc-h" in described and "python code/serve.py" in described
    assert "sbom: 10 packages" in described
    shown = slipway(repository, "inspect", "dist/wines_1.0.0.tar.gz").stdout
    assert "for a container of its own" in shown and "scikit-learn" in shown
    promoted = slipway(repository, "promote", "wines")
    assert promoted.returncode == 0, promoted.stderr
    production = Catalog(open_stage(repository, "production"))
    assert production.alias("wines").target == "wines_1.0.0.tar.gz"
    assert "2 of 2 releases are intact" in slipway(repository, "verify", "wines").stdout


def test_a_wrong_golden_answer_fails_and_is_shown(repository: Settings) -> None:
    expected = repository.root / "models/wines/tests/cases/second_class/expected.json"
    before = expected.read_text()
    expected.write_text('{"probabilities": [[0.1, 0.001525, 0.996905]]}')
    try:
        failed = slipway(repository, "test", "wines")
    finally:
        expected.write_text(before)
    assert failed.returncode == 1
    assert "answer.probabilities[0][0] is 0.00157, not 0.1" in failed.stdout


def test_a_file_that_is_not_committed_is_named(repository: Settings) -> None:
    extra = repository.root / "models" / "wines" / "container" / "code" / "extra.py"
    extra.write_text("X = 1\n")
    try:
        published = slipway(repository, "publish", "wines", "--json")
    finally:
        extra.unlink()
    assert any("code/extra.py" in line for line in json.loads(published.stdout)["uncommitted"])


def test_a_mistake_of_the_folder_stops_the_build(repository: Settings) -> None:
    serve = repository.root / "models" / "wine_rows" / "container" / "code" / "serve.py"
    moved = serve.rename(serve.with_name("server.py"))
    try:
        built = slipway(repository, "build", "wine_rows")
    finally:
        moved.rename(serve)
    assert built.returncode == 1 and "SW282 entry-not-in-the-container" in built.stderr


def test_weights_of_a_container_are_those_of_their_pointer(tmp_path: Path) -> None:
    configured = sample.copy_repository(tmp_path)
    for words in (["git", "init", "-q"], [sys.executable, "-m", "dvc", "init", "-q"]):
        subprocess.run(words, cwd=tmp_path, check=True)
    file = tmp_path / "models" / "wines" / "container" / "model.skops"
    added = slipway(configured, "weights", "add", str(file))
    assert added.returncode == 0 and "note:" not in added.stderr, added.stderr
    digest = hashlib.md5(file.read_bytes()).hexdigest()
    file.unlink()
    manifest = sample.build_wines(configured).manifest
    assert manifest.weights["model.skops"]["md5"] == digest
    assert "model.skops" not in manifest.sources


def test_an_object_that_is_not_the_published_one_is_not_served(tmp_path: Path) -> None:
    configured = sample.copy_repository(tmp_path)
    toml = tmp_path / "slipway.toml"
    toml.write_text(toml.read_text().replace('["wine_rows", "adder"]', '["wine_rows"]'))
    published = sample.release(configured, sample.build_rows(configured))
    stored = tmp_path / configured.store / "staging" / "models" / published.target
    other = sample.build_wines(configured).path.read_bytes()
    stored.chmod(0o644)
    stored.write_bytes(other)
    with (
        pytest.raises(SlipwayError, match=r"its object has .* published"),
        sample.up(settings.load(tmp_path), "rows"),
    ):
        pass


def test_two_builds_have_the_same_bytes(repository: Settings, tmp_path: Path) -> None:
    first, second = sample.build_rows(repository), sample.build_rows(repository)
    assert first.sha256 == second.sha256


@pytest.mark.parametrize(
    ("expected", "actual", "different"),
    [
        ('{"a": [1, 2.00001]}', '{"a": [1.0, 2.0]}', False),
        ('{"a": [1, 2.01]}', '{"a": [1, 2]}', True),
        ('{"a": true}', '{"a": 1.01}', True),
        ('{"a": 1}', '{"b": 1}', True),
        ('{"a": [1]}', '{"a": [1, 2]}', True),
        ('{"a": null}', '{"a": null}', False),
    ],
)
def test_json_is_compared_as_values(
    tmp_path: Path, expected: str, actual: str, different: bool
) -> None:
    (tmp_path / "expected.json").write_text(expected)
    case = ContainerCase(tmp_path, b"", "application/json", None)
    answer = ContainerAnswer(200, "application/json; charset=utf-8", actual.encode())
    assert bool(cases.differences(case, answer)) is different


def test_an_answer_with_another_status_is_never_recorded(tmp_path: Path) -> None:
    (tmp_path / "request.json").write_text("{}")
    case = cases.load_case(tmp_path)
    assert cases.differences(case, ContainerAnswer(500, "text/plain", b"no")) == ["status 500: no"]
    assert cases.update(case, ContainerAnswer(200, "text/csv", b"1,2"))
    assert (tmp_path / "expected.csv").read_bytes() == b"1,2"


def test_run_serves_the_container_on_a_socket_of_its_own(repository: Settings) -> None:
    command = [sys.executable, "-m", "slipway", "run", "wines"]
    process = subprocess.Popen(
        command,
        cwd=repository.root,
        env=sample.ENVIRONMENT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        curl = next(line for line in process.stdout if line.startswith("curl "))
        words = [*shlex.split(curl)[:-1], f"{sample.ROW}\n", "--silent", "--max-time", "60"]
        answer = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate()
    assert json.loads(answer)["probabilities"] == [sample.LOGISTIC]
