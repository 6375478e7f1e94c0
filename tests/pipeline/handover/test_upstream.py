"""Two repositories under gitlab-ci-local: research trains and hands over, this one receives.

gitlab-ci-local starts no pipeline of another project. The test does, with the variables that the
job of the merged file names, and with what GitLab's API would answer.
"""

from __future__ import annotations

import http.server
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import fixture_models
from tests.pipeline import gitlab, history
from tests.pipeline.history import NOBODY, History
from tests.pipeline.scratch import ROOT

pytestmark = pytest.mark.skipif(
    gitlab.program() is None,
    reason="gitlab-ci-local is not here: ci/gitlab-ci-local --version installs it",
)
TOKEN = "job-token-of-this-job"
RESEARCH = """stages: [build, deploy]
include:
  - local: templates/release.yml
    inputs:
      model: adder
      version: 1.1.0
      job: train adder
      files: out/adder.onnx=adder/1/model.onnx
      project: platform/models
      rules: [{when: on_success}]

.trains:
  stage: build
  script: mkdir -p out && cp weights.onnx out/$MODEL.onnx
  artifacts:
    paths: [out/]

train adder:
  extends: .trains
  variables: {MODEL: adder}

train doubler:
  extends: .trains
  variables: {MODEL: doubler}

# the second model has the first one's settings
hand over doubler:
  extends: hand over adder
  needs: [train doubler]
  variables: {MODEL: doubler, VERSION: 2.0.0, FILES: out/doubler.onnx=doubler/1/model.onnx}

release doubler:
  extends: release adder
  needs: [hand over doubler]
"""


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in NOBODY.items():
        monkeypatch.setenv(key, value)
    monkeypatch.setenv("GCL_CONCURRENCY", "1")  # without containers, jobs share a folder


def research(folder: Path) -> History:
    """A repository that trains two models, with the component of this one."""
    made = history.begin(folder, origin=False)
    made.write(".gitlab-ci.yml", RESEARCH)
    made.write("templates/release.yml", (ROOT / "templates/release.yml").read_text("utf-8"))
    fixture_models.save_adder(folder / "weights.onnx")
    made.git("remote", "add", "origin", "http://gitlab.invalid/research/vision.git")
    made.commit()
    return made


def platform(folder: Path, remote: Path) -> History:
    """A repository that serves these two models, with the pipeline of this one."""
    made = history.begin(folder)
    config = (fixture_models.MODELS / "adder/adder/config.pbtxt").read_text(encoding="utf-8")
    for name in ("adder", "doubler"):
        made.write(f"models/{name}/{name}/config.pbtxt", config.replace('"adder"', f'"{name}"'))
        made.write(f"models/{name}/model_version.txt", "1.0.0\n")
    for part in ("ci", "build-support/launcher"):
        ignored = shutil.ignore_patterns("node_modules", "infra", "airflow")
        shutil.copytree(ROOT / part, made.root / part, ignore=ignored)
    os.symlink(ROOT / "build-support/slipway", made.root / "build-support/slipway")
    shutil.copy(ROOT / ".gitlab-ci.yml", made.root)
    made.write(".gitignore", "/build-support/slipway\n/.gitlab-ci-local/\n")
    made.write(".dvc/config", "[core]\n analytics = false\n remote = there\n['remote \"there\"']\n")
    with (made.root / ".dvc/config").open("a") as file:
        file.write(f" url = {remote}\n")
    made.write(".dvc/.gitignore", "/tmp\n/cache\n")
    made.commit()
    made.push()
    for key, value in {"receive.advertisePushOptions": "true"}.items():
        subprocess.run(["git", "config", key, value], cwd=made.origin, check=True)
    return made


class Artifacts:
    """GitLab's API for artifacts, by the job's number; what it was asked."""

    def __init__(self) -> None:
        self.files: dict[str, Path] = {}
        self.asked: list[tuple[str, str | None]] = []
        self.url = ""


@pytest.fixture
def artifacts() -> Iterator[Artifacts]:
    made = Artifacts()

    class Api(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked.append((self.path, self.headers.get("JOB-TOKEN")))
            job = re.search(r"/projects/research%2Fvision/jobs/(\d+)/artifacts/", self.path)
            body = made.files[job[1]].read_bytes() if job else b""
            self.send_response(200 if job else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    made.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield made
    server.shutdown()
    server.server_close()


def handed(root: Path, job: str) -> tuple[dict[str, str], Path]:
    """The variables that a job left for those that need it, and its archive."""
    folder = next(
        path
        for path in (root / ".gitlab-ci-local/artifacts").iterdir()
        if path.name.endswith(job) and path.name.startswith("hand")
    )
    text = (folder / ".gitlab-ci-reports/dotenv/slipway-handover.env").read_text(encoding="utf-8")
    values = dict(line.split("=", 1) for line in text.splitlines())
    return values, folder / "slipway-handover.tar.gz"


def merged(root: Path) -> dict[str, Any]:
    """The pipeline's file with includes and extends resolved."""
    command = [str(gitlab.program()), "--preview", "--home", str(root.parent / "gitlab-home")]
    shown = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    found: dict[str, Any] = yaml.safe_load(shown[shown.index("---") :] if "---" in shown else shown)
    return found


def test_two_models_of_one_repository_are_handed_over_and_each_becomes_a_merge_request(
    tmp_path: Path, artifacts: Artifacts
) -> None:
    upstream = research(tmp_path / "research")
    run = gitlab.run(upstream.root, {})
    assert {name: run.jobs[name] for name in ("hand over adder", "hand over doubler")} == {
        "hand over adder": "passed",
        "hand over doubler": "passed",
    }
    downstream = platform(tmp_path / "models", tmp_path / "remote")
    jobs = merged(upstream.root)
    for name, version in {"adder": "1.1.0", "doubler": "2.0.0"}.items():
        values, archive = handed(upstream.root, name)
        artifacts.files[values["SLIPWAY_SOURCE_JOB_ID"]] = archive
        assert jobs[f"release {name}"]["trigger"]["project"] == "platform/models"
        told = jobs[f"release {name}"]["variables"]
        known = values | {"CI_PROJECT_PATH": "research/vision"}
        variables = {key: known[text.removeprefix("$")] for key, text in told.items()}
        received = gitlab.run(
            downstream.root,
            {
                **variables,
                "CI_PIPELINE_SOURCE": "pipeline",
                "CI_JOB_TOKEN": TOKEN,
                "CI_SERVER_URL": artifacts.url,
                "SLIPWAY_HOME": "",
                "SLIPWAY_PYTHON": sys.executable,
            },
            jobs=["receive"],
        )
        assert received.jobs == {"receive": "passed"}, received.said
        branch = f"research/{name}-{version}"
        assert downstream.git("ls-remote", "origin", branch)
        downstream.git("fetch", "--quiet", "origin", branch)
        shown = downstream.git("show", f"FETCH_HEAD:models/{name}/model_version.txt")
        assert shown == version
        pointer = downstream.git("show", f"FETCH_HEAD:models/{name}/{name}/1/model.onnx.dvc")
        assert "md5" in pointer
        # the next job has a checkout of its own
        downstream.git("reset", "--quiet", "--hard", "origin/main")
        downstream.git("clean", "-ffdq")
    assert {token for _, token in artifacts.asked} == {TOKEN}
