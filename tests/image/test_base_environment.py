"""Artifacts without their environment: on an image that has it, and where it is missing."""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.request
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from slipway import settings as configuration
from slipway.artifact.artifact import Artifact
from slipway.artifact.contents import read_contents
from slipway.build import local_weights, pack_artifact
from slipway.cli import main
from slipway.endpoint.serving import serve_in_thread
from slipway.errors import SlipwayError
from slipway.image.base import open_base
from slipway.image.base_environment import unpack_environments
from slipway.image.references import InLayout
from slipway.model.folder import read_model_folder
from slipway.release.base_environments import require_base_environment
from slipway.release.promote import promote
from slipway.release.publish import publish
from slipway.release.rollback import rollback
from slipway.release.verify import select_releases, verify
from slipway.server import triton
from slipway.settings import Settings
from slipway.store.open import open_stage
from slipway.triton.image.environments import LABEL, image_path
from tests.artifact.samples import packed, write_environment, write_model
from tests.image.bases import tiny_base
from tests.image.made import config_of, make, make_environments, repository
from tests.image.served import ENVIRONMENT, write_served
from tests.release.sample_releases import DEV, create_repository, publish_sample
from tests.release.sample_releases import tests_evidence as passed_tests

A, B = np.array([[1, 2, 3, 4]], np.float32), np.ones((1, 4), np.float32)


def named(*digests: str) -> str:
    listed = ", ".join(f'"{digest}"' for digest in digests)
    return f"base_environments = [{listed}]\n"


def with_stages(root: Path, staging: str, production: str) -> Settings:
    more = f"[release.staging]\n{staging}[release.production]\nclean_commit = false\n{production}"
    return create_repository(root, more)


def test_what_both_images_have_is_left_out_of_the_artifact(tmp_path: Path) -> None:
    environment = write_environment(tmp_path / "environment")
    folder = write_model(tmp_path / "checkout")
    model = read_model_folder(folder)
    fat = packed(folder, environment)
    sizes, layouts = {}, {}
    for kind, digest in (("both", environment.sha256), ("another", "a" * 64)):
        settings = with_stages(tmp_path / "checkout", named(environment.sha256), named(digest))
        weights = local_weights(model, settings.root)
        artifact = pack_artifact(
            model, environment, weights, tmp_path / kind / "a.tar.gz", settings
        )
        contents = read_contents(artifact.path)  # every member is the manifest's
        sizes[kind], layouts[kind] = artifact.size, contents.manifest.environment or {}
    assert layouts["another"]["layout"] == "directory"
    assert sizes["another"] == fat.size > sizes["both"]
    assert layouts["both"]["path"] == image_path(environment.sha256)
    texts = read_contents(tmp_path / "both" / "a.tar.gz").configs
    assert image_path(environment.sha256) in texts["tiny_preprocessing"]
    assert "EXECUTION_ENV_PATH" not in texts["tiny_inferencer"]


def test_the_image_has_environments_and_is_run_as_its_base(tmp_path: Path) -> None:
    fat = packed(write_model(tmp_path / "checkout"), write_environment(tmp_path / "environment"))
    root = make_environments(tmp_path, fat.path)
    opened = open_base(InLayout(root, None), repository(tmp_path))
    digest = str((fat.manifest.environment or {})["sha256"])
    assert opened.environments == (digest,)
    assert opened.settings["Labels"][LABEL] == digest
    assert "Entrypoint" not in opened.settings
    assert opened.variables["NVIDIA_TRITON_SERVER_VERSION"] == "25.04"


def test_an_image_of_such_an_artifact_needs_a_base_that_has_its_environment(
    tmp_path: Path,
) -> None:
    fat, thin = write_served(tmp_path / "fat"), write_served(tmp_path / "thin", thin=True)
    with pytest.raises(SlipwayError, match=f"without its environment {ENVIRONMENT}") as refused:
        make(tmp_path, thin)
    assert "slipway image --base-environment twice" in str(refused.value.fix)
    image = make(tmp_path / "on", thin, base=make_environments(tmp_path / "made", fat))
    assert config_of(image)["config"]["Labels"][LABEL] == ENVIRONMENT


def test_triton_serves_it_with_the_environment_of_the_image(
    tmp_path: Path, slipway_cache: Path
) -> None:
    home = sys.base_prefix
    fat = write_served(tmp_path / "fat", home=home)
    thin = write_served(tmp_path / "thin", home=home, thin=True)
    settings = repository(tmp_path)
    served = unpack_environments(
        open_base(InLayout(make_environments(tmp_path / "made", fat), None), settings)
    )
    with triton.start(replace(settings, served_environments=served)) as server:
        for target, artifact in (("fat", fat), ("thin", thin)):
            server.load(target, artifact)
        answers = [server.invoke(target, {"A": A, "B": B}) for target in ("fat", "thin")]
        assert [answer["SUM"].tolist() for answer in answers] == [[[3, 5, 7, 9]]] * 2
        where = answers[1]["WHERE"][0, 0].decode()
        assert where.startswith(str(slipway_cache / "image-environments" / ENVIRONMENT))
        server.unload("thin")
    lacking = replace(settings, served_environments=("a" * 64,))
    missing = pytest.raises(SlipwayError, match=f"lacks its environment {ENVIRONMENT}; it has aaa")
    with triton.start(lacking) as server, missing:
        server.load("thin", thin)


def test_an_environment_that_is_not_on_this_machine_is_said(
    tmp_path: Path, slipway_cache: Path
) -> None:
    thin = write_served(tmp_path, thin=True)
    missing = pytest.raises(SlipwayError, match="and not on this machine")
    with triton.start(repository(tmp_path)) as server, missing as refused:
        server.load("thin", thin)
    assert "--base-environment oci:PATH" in str(refused.value.fix)


def test_a_stage_whose_endpoints_lack_it_gets_no_such_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    thin = Artifact(write_served(tmp_path / "dist", "m", thin=True))
    settings = with_stages(tmp_path / "checkout", named(ENVIRONMENT), named("a" * 64))
    staging = open_stage(settings, "staging")
    require_base_environment(thin.manifest, "m", settings.stage("staging"))
    release = publish(thin, staging)
    key = f"staging/catalog/m/evidence/{thin.sha256}/tests.json"
    staging.store.create(key, passed_tests(thin.path))
    with pytest.raises(SlipwayError, match="production's endpoints is not said") as refused:
        promote(settings, "m", None, DEV)
    assert f'["{"a" * 64}", "{ENVIRONMENT}"]' in str(refused.value.fix)
    # as the fix says
    settings = with_stages(settings.root, named(ENVIRONMENT), named("a" * 64, ENVIRONMENT))
    assert promote(settings, "m", None, DEV).moved
    # and the environment goes while an older release still needs it
    publish_sample(settings, "1.1.0")
    promote(settings, "m", None, DEV)
    settings = with_stages(settings.root, named(ENVIRONMENT), "")
    with pytest.raises(SlipwayError, match="it would not load"):
        rollback(settings, "production", "m", "1.0.0", DEV)
    (lacking,) = select_releases(settings, "m", "1.0.0", ["production"]).releases
    assert f"does not name its environment {ENVIRONMENT}" in verify(settings, lacking).problems[0]
    monkeypatch.chdir(settings.root)
    assert main(["alias", "m", "1.0.0", "--stage", "production"]) == 1
    assert "it would not load" in capsys.readouterr().err
    assert release.target.startswith("m_1.0.0")


def test_the_digests_of_a_stage_are_checked(tmp_path: Path) -> None:
    with pytest.raises(SlipwayError, match="base_environments is"):
        with_stages(tmp_path, named("e" * 63), "")
    assert with_stages(tmp_path, named(ENVIRONMENT), "").base_environments == frozenset()
    assert configuration.load(tmp_path).stage("staging").base_environments == (ENVIRONMENT,)


def test_an_image_without_environments_stands_for_none(tmp_path: Path) -> None:
    opened = open_base(InLayout(tiny_base(tmp_path / "base"), None), repository(tmp_path))
    with pytest.raises(SlipwayError, match="has no execution environment"):
        unpack_environments(opened)


def test_a_local_endpoint_has_what_its_stage_names_and_says_what_it_lacks(
    tmp_path: Path, slipway_cache: Path
) -> None:
    home = sys.base_prefix
    fat, thin = (write_served(tmp_path / str(t), home=home, thin=t) for t in (False, True))
    root = make_environments(tmp_path / "made", fat)
    unpack_environments(open_base(InLayout(root, None), repository(tmp_path)))
    answers = []
    for names in (named("a" * 64), named(ENVIRONMENT)):
        settings = with_stages(tmp_path / "checkout", names, "")
        target = publish(Artifact(thin), open_stage(settings, "staging")).target
        with serve_in_thread(settings, [settings.endpoint("local")]) as running:
            answers.append(invoke(f"{running.url}/endpoints/local/invocations", target))
    assert answers[0][0] >= 400
    assert f"lacks its environment {ENVIRONMENT}" in answers[0][1]
    assert (answers[1][0], '"data":[3.0,5.0,7.0,9.0]' in answers[1][1]) == (200, True)


def invoke(url: str, target: str) -> tuple[int, str]:
    inputs = [
        {"name": name, "shape": [1, 4], "datatype": "FP32", "data": value.tolist()}
        for name, value in (("A", A), ("B", B))
    ]
    headers = {"X-Amzn-SageMaker-Target-Model": target, "Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps({"inputs": inputs}).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=120) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
