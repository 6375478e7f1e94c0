"""``slipway report`` over a branch that changes, adds, breaks, keeps and deletes models."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import onnx
import pytest
from onnx import TensorProto, helper

from slipway.cli import main
from slipway.errors import SlipwayError
from slipway.files import sha256_of
from slipway.pipeline.report import measure as report_measure
from slipway.server import triton
from slipway.server.client import ServerGoneError
from slipway.settings import Settings
from tests import fixture_models
from tests.pipeline.report import sample_report

CONFIG = """backend: "onnxruntime"
max_batch_size: 8
input {{ name: "A" data_type: TYPE_FP32 dims: [ 4 ] }}
input {{ name: "B" data_type: TYPE_FP32 dims: [ 4 ] }}
output {{ name: "{output}" data_type: TYPE_FP32 dims: [ 4 ] }}
"""


def write_model(name: str, version: str, *, operator: str = "Add", output: str = "SUM") -> None:
    """A model of one ONNX graph, with a golden case that it answers with."""
    folder = Path("models") / name
    (folder / name / "1").mkdir(parents=True, exist_ok=True)
    (folder / "model_version.txt").write_text(f"{version}\n", encoding="utf-8")
    (folder / name / "config.pbtxt").write_text(CONFIG.format(output=output), encoding="utf-8")
    inputs = [_tensor("A"), _tensor("B")]
    node = helper.make_node(operator, ["A", "B"], [output])
    graph = helper.make_graph([node], name, inputs, [_tensor(output)])
    fixture_models.save(graph, folder / name / "1" / "model.onnx")
    case = folder / "tests" / "cases" / "one"
    case.mkdir(parents=True, exist_ok=True)
    asked = {"inputs": {"A": [1, 2, 3, 4], "B": [1, 1, 1, 1]}}
    (case / "input.json").write_text(json.dumps(asked), encoding="utf-8")
    (case / "expected.json").write_text('{"outputs": {}}', encoding="utf-8")


def _tensor(name: str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 4])


def git(*words: str) -> None:
    """Run git in the working folder."""
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
    subprocess.run(["git", *identity, *words], check=True, capture_output=True)


@dataclass(frozen=True)
class RenderedReport:
    """What the command left."""

    status: int
    markdown: str
    page: str
    metrics: str
    said: dict[str, Any]

    def model(self, name: str) -> dict[str, Any]:
        """What is said of one model."""
        found: dict[str, Any] = next(m for m in self.said["models"] if m["name"] == name)
        return found


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RenderedReport]:
    """Production has ``changed``, ``same``, ``renamed`` and ``gone``; the branch answers otherwise,
    adds ``fresh``, breaks ``broken`` and deletes ``gone``."""
    root = tmp_path_factory.mktemp("repository")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        for name in ("SLIPWAY_GITLAB_TOKEN", "SLIPWAY_BASE", "CI_MERGE_REQUEST_IID"):
            patch.delenv(name, raising=False)
        patch.delenv("CI_COMMIT_BRANCH", raising=False)
        patch.setattr(report_measure, "LOADS", 2)  # an unload of ONNX models takes seconds
        Path("slipway.toml").write_text(
            '[release]\nstore = "store"\n[release.production]\nclean_commit = false\n',
            encoding="utf-8",
        )
        Path(".gitignore").write_text("dist/\nstore/\n.slipway/\nout/\n", encoding="utf-8")
        for name in ("changed", "same", "renamed", "gone"):
            write_model(name, "1.0.0")
        git("init", "--quiet", "--initial-branch", "main")
        git("add", ".")
        git("commit", "--quiet", "--message", "four models")
        assert main(["publish", "--stage", "production"]) == 0
        git("checkout", "--quiet", "-b", "branch")
        write_model("changed", "1.1.0", operator="Sub")
        write_model("renamed", "1.0.1", output="TOTAL")
        write_model("fresh", "0.1.0")
        write_model("broken", "0.1.0")
        (Path("models") / "broken" / "broken" / "config.pbtxt").write_text("{", encoding="utf-8")
        (Path("models") / "same" / "README.md").write_text("No part of it.", encoding="utf-8")
        git("rm", "-r", "--quiet", "models/gone")
        git("add", ".")
        git("commit", "--quiet", "--message", "Differences instead of sums")
        words = ["--output", "out/report.html", "--output", "out/report.json"]
        words += ["--output", "out/metrics.txt", "--seconds", "0.5", "--comment"]
        status = main(["report", "--output", "out/report.md", *words])
        texts = [
            (root / "out" / name).read_text(encoding="utf-8")
            for name in ("report.md", "report.html", "metrics.txt", "report.json")
        ]
        markdown, page, metrics, said = texts
        yield RenderedReport(status, markdown, page, metrics, json.loads(said))


def test_a_model_that_cannot_be_built_fails_and_hides_no_other(made: RenderedReport) -> None:
    assert made.status == 1
    broken = made.model("broken")
    assert broken["failed"] and "config.pbtxt" in broken["problems"]["artifact"]
    assert [model["name"] for model in made.said["models"] if model["failed"]] == ["broken"]
    assert "❌ failed" in made.markdown


def test_unchanged_models_are_named_and_not_measured_deleted_ones_are_named(
    made: RenderedReport,
) -> None:
    assert made.said["unchanged"] == ["same"]
    assert made.said["deleted"] == ["gone"]
    names = {model["name"] for model in made.said["models"]}
    assert names == {"broken", "changed", "fresh", "renamed"}
    assert "6 models: 2 changed, 1 new, 1 deleted, 1 failed, 1 unchanged" in made.markdown


def test_a_change_is_laid_beside_what_production_serves(made: RenderedReport) -> None:
    changed = made.model("changed")
    assert (changed["served"]["version"], changed["version"]) == ("1.0.0", "1.1.0")
    assert changed["target"] == f"changed_1.1.0-rc.h{changed['sha256'][:12]}.tar.gz"
    assert {change["part"] for change in changed["changes"]} == {"release", "code"}
    assert changed["size"]["artifact"] > 0 and changed["served"]["size"]["artifact"] > 0
    loads = changed["measured"]["loads"]
    assert len(loads["candidate"]) == len(loads["served"]) == 2
    latency = changed["measured"]["latency"]
    assert latency["asked"] == ["one"]
    ratio = latency["compared"]["median"]
    assert ratio["low"] <= ratio["ratio"] <= ratio["high"]
    (tensor,) = changed["measured"]["outputs"]["tensors"]
    assert (tensor["tensor"], tensor["changed"], tensor["largest"]) == ("SUM", 4, 2.0)
    assert "Differences instead of sums" in changed["commits"][0]


def test_a_version_too_low_for_what_changed_is_told(made: RenderedReport) -> None:
    renamed = made.model("renamed")
    assert renamed["proposed"]["part"] == "major"
    assert "the changes are major: 2.0.0 or higher (slipway bump renamed)" in made.markdown
    said = {each["tensor"]: each["said"] for each in renamed["measured"]["outputs"]["tensors"]}
    assert said == {"SUM": "is gone", "TOTAL": "is new"}


def test_a_new_model_has_latencies_and_nothing_to_compare(made: RenderedReport) -> None:
    fresh = made.model("fresh")
    assert fresh["served"] is None
    assert fresh["measured"]["latency"]["candidate"]["count"] > 0
    assert fresh["measured"]["latency"]["compared"] is None
    assert fresh["measured"]["outputs"] is None


def test_every_form_has_the_commands_to_try_it_in_staging(made: RenderedReport) -> None:
    target = made.model("changed")["target"]
    for text in (made.markdown, made.page):
        assert f"--endpoint staging --target {target}" in text
        assert "slipway invoke changed --json" in text
        assert "invoke_endpoint" in text
    assert 'slipway_artifact_size_bytes{model="changed"}' in made.metrics


def test_every_model_that_was_built_was_measured_on_a_real_server(made: RenderedReport) -> None:
    assert "measured on Triton" in made.markdown
    assert not any("measured" in model["problems"] for model in made.said["models"])


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder is a repository with one model that was never released."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "slipway.toml").write_text('[release]\nstore = "store"\n', encoding="utf-8")
    write_model("m", "1.0.0")
    return tmp_path


def test_a_production_that_cannot_be_read_is_said_and_no_model_is_called_new(
    alone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SLIPWAY_PRODUCTION_STORE", "gopher://nowhere")
    assert main(["report", "models/m", "--seconds", "0"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("### Slipway: m 1.0.0, production cannot be read\n")
    assert "unknown kind of release store 'gopher://nowhere'" in said


def test_artifacts_that_an_earlier_job_built_are_taken_as_they_are(
    alone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["build", "models/m"]) == 0
    built = sha256_of(alone / "dist" / "m_1.0.0.tar.gz")
    write_model("m", "1.0.0", operator="Mul")
    capsys.readouterr()
    words = ["models/m", "--seconds", "0", "--output", "report.json", "--output", "report.md"]
    for folder, same in (("dist", True), ("elsewhere", False)):
        assert main(["report", *words, "--artifacts", folder]) == 0
        said = json.loads((alone / "report.json").read_text(encoding="utf-8"))
        assert (said["models"][0]["sha256"] == built) is same


def test_models_named_that_are_gone_count_as_deleted(
    alone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", "models/gone", "--seconds", "0"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("### Slipway: 1 model: 1 deleted\n")
    assert "Deleted by this branch: gone." in said


def test_the_tests_of_exactly_this_artifact_are_told_and_no_others(
    alone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["build", "models/m"]) == 0
    digest = sha256_of(alone / "dist" / "m_1.0.0.tar.gz")
    words = ["report", "models/m", "--seconds", "0", "--artifacts", "dist"]
    for sha256, said in (("0" * 64, "not run"), (digest, "1 of 2 failed")):
        (alone / "dist" / "m_1.0.0.tests.xml").write_text(JUNIT.format(sha256), encoding="utf-8")
        capsys.readouterr()
        assert main(words) == 0
        assert said in capsys.readouterr().out


JUNIT = """<testsuites><testsuite tests="2"><properties>
<property name="slipway.artifact.sha256" value="{}"/></properties>
<testcase classname="models.m" name="contract"/>
<testcase classname="models.m" name="golden[one]"><failure message="other"/></testcase>
</testsuite></testsuites>"""


def test_a_model_that_takes_the_server_with_it_leaves_another_for_the_next(
    alone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_model("next", "1.0.0")
    started: list[SimpleNamespace] = []

    @contextmanager
    def start(settings: Settings) -> Iterator[SimpleNamespace]:
        server = SimpleNamespace(source=f"server {len(started)}", up=True)
        server.client = SimpleNamespace(ready=lambda: server.up)
        started.append(server)
        yield server

    def measure(server: SimpleNamespace, folder: Path, *others: object) -> object:
        if folder.name == "m":
            server.up = False
            raise ServerGoneError("the Triton server does not answer")
        return sample_report.measured(compared=False)

    monkeypatch.setattr(triton, "start", start)
    monkeypatch.setattr(report_measure, "measure", measure)
    assert main(["report", "models/m", "models/next", "--output", "report.json"]) == 1
    said = json.loads((alone / "report.json").read_text(encoding="utf-8"))
    assert "does not answer" in said["models"][0]["problems"]["measured"]
    assert said["models"][1]["measured"]["latency"]["candidate"]["p50"] == 0.012
    assert said["source"] == "server 1"


def test_without_a_server_the_rest_is_reported(
    alone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def none(settings: Settings) -> Any:
        raise SlipwayError("no Triton on this machine")

    monkeypatch.setattr(triton, "start", none)
    assert main(["report", "models/m"]) == 0
    said = capsys.readouterr().out
    assert "cannot measure the remaining models: no Triton on this machine" in said
    assert "1.0.0, new in production" in said
