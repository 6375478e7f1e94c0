"""The lineage of a release: what is recorded of it, and what is not known."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from slipway import settings as configuration
from slipway.artifact.manifest import Manifest
from slipway.catalog import keys
from slipway.catalog.alias import Alias, Variant
from slipway.catalog.alias_move import move_alias
from slipway.catalog.origin import Origin
from slipway.catalog.record import Record
from slipway.catalog.weights_source import WeightsSource
from slipway.cli import main
from slipway.errors import SlipwayError
from slipway.lineage.build import build_lineage
from slipway.lineage.facts import ReleaseFacts, StoredRelease, read_facts
from slipway.lineage.graph import Lineage
from slipway.lineage.text import render_text
from slipway.lineage.values import SCHEMA, lineage_values
from slipway.release.prune import candidates, prune
from slipway.settings import Settings
from slipway.store.open import open_stage
from tests.lineage.trained_repository import TOML, TRAINING, TrainedRepository, sample_run
from tests.release.conftest import aws, moto, release_bucket
from tests.release.evidence.sample_model import create_key_files
from tests.release.sample_releases import DEV, create_repository, publish_sample
from tests.store.readable_stores import BucketStore

__all__ = ["aws", "moto", "release_bucket"]

RUN = sample_run().id
EXPECTED = Path(__file__).parent / "fixtures/expected.txt"


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> TrainedRepository:
    root = tmp_path_factory.mktemp("lineage")
    key = create_key_files(root)
    signing = f'[signing]\nkey = "{key.private}"\ntrusted = ["{key.public}"]\n'
    repository = TrainedRepository(root / "repository", TOML + signing)
    repository.record(sample_run())
    repository.publish()
    repository.promote()
    return repository


def lineage(settings: Settings, selector: str | None = None, name: str = "tiny") -> Lineage:
    return build_lineage(read_facts(settings, name, selector))


def test_the_text_goes_from_the_data_to_the_endpoints(repository: TrainedRepository) -> None:
    text = "\n".join(render_text(lineage(repository.settings))) + "\n"
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC by \w+", "TIME by USER", text)
    text = re.sub(r"(?<=commit )(?!7777777)[0-9a-f]{7}", "COMMIT", text)
    text = re.sub(r"(?<=signed by )[0-9a-f]{12}", "KEY", text)
    digest = lineage(repository.settings).sha256
    text = text.replace(digest[:12], "DIGEST")
    assert text == EXPECTED.read_text(encoding="utf-8")


def test_no_checkout_is_needed(
    repository: TrainedRepository, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "slipway.toml").write_text(
        f'[release]\nstore = "{repository.root / "store"}"\n', encoding="utf-8"
    )
    here, there = (
        lineage(settings) for settings in (configuration.load(tmp_path), repository.settings)
    )
    nodes = {node.id for node in here.nodes}
    assert nodes == {node.id for node in there.nodes} and f"run:{RUN}" in nodes
    assert "no trusted key signed the statement of the training" in here.unknown


def test_the_json_is_a_graph_from_the_rows_to_the_endpoint(repository: TrainedRepository) -> None:
    values = lineage_values(lineage(repository.settings))
    assert json.loads(json.dumps(values)) == values
    assert values["schema"] == SCHEMA and values["unknown"] == []
    nodes = {node["id"]: node for node in values["nodes"]}
    following: dict[str, list[str]] = {}
    for edge in values["edges"]:
        assert edge["from"] in nodes and edge["to"] in nodes
        following.setdefault(edge["from"], []).append(edge["to"])
    reached, waiting = set(), [f"data:{TRAINING}/rows.csv"]
    while waiting:
        node = waiting.pop()
        if node not in reached:
            reached.add(node)
            waiting += following.get(node, [])
    assert {
        "stage:tiny_train",
        "stage:tiny_export",
        "weights:tiny_inferencer/1/model.onnx",
        f"artifact:{values['sha256']}",
        "release:production:tiny_1.2.0.tar.gz",
        "alias:production:tiny",
        "endpoint:production",
        "endpoint:staging",
    } <= reached
    assert nodes["endpoint:staging"]["details"]["endpoint_name"] == "models-staging"
    assert nodes[f"run:{RUN}"]["details"]["compared"]["release"] == "1.1.0"


def test_a_release_is_named_as_in_the_other_commands(repository: TrainedRepository) -> None:
    settings = repository.settings
    for selector in (None, "production", "staging", "1.2.0", "tiny_1.2.0.tar.gz", "1.2.0-rc"):
        assert lineage(settings, selector).version == "1.2.0"
    staged = read_facts(settings, "tiny", "staging")
    assert [release.stage for release in staged.releases] == ["staging", "production"]
    with pytest.raises(SlipwayError, match=r"9\.9\.9 is not a release of tiny"):
        lineage(settings, "9.9.9")
    with pytest.raises(SlipwayError, match="no release of 'tine'") as caught:
        lineage(settings, None, "tine")
    assert caught.value.fix == "did you mean tiny?"


def test_a_record_of_before_says_so(tmp_path: Path) -> None:
    settings = create_repository(tmp_path)
    publish_sample(settings)
    found = lineage(settings, None, "m")
    assert any("published before releases recorded their training" in u for u in found.unknown)
    assert found.of_kind("run", "data", "stage") == []
    assert "not known" in render_text(found)


def test_weights_added_by_hand_name_the_commit_and_who_made_it(tmp_path: Path) -> None:
    repository = TrainedRepository(tmp_path / "repository")
    repository.publish()
    found = lineage(repository.settings)
    commit = repository.git("rev-parse", "HEAD")
    [origin] = found.of_kind("origin")
    assert origin.details["commit"] == commit and origin.details["by"] == "dev"
    assert origin.details["pointer"] == "models/tiny/tiny_inferencer/1/model.onnx.dvc"
    assert found.unknown[0] == (
        "from which training tiny_inferencer/1/model.onnx is:"
        f" commit {commit[:7]} added it, and names none"
    )
    text = "\n".join(render_text(found))
    assert f"added by commit {commit[:7]}" in text and "A model" in text


def test_a_statement_that_is_gone_or_wrong_is_said(tmp_path: Path) -> None:
    repository = TrainedRepository(tmp_path / "repository")
    repository.record(sample_run())
    release, _ = repository.publish()
    key = keys.evidence("staging", "tiny", release.sha256, "training")
    path = repository.root / "store" / key
    data = path.read_bytes()
    for wrong in (b"{}", None):
        path.unlink()
        if wrong is not None:
            path.write_bytes(wrong)
        found = lineage(repository.settings)
        [run] = found.of_kind("run")
        assert run.label == RUN and found.of_kind("data") == []
        assert f"what {RUN} was trained on: its statement is missing" in "\n".join(found.unknown)
        assert any(line.startswith("its evidence is not sound: training") for line in found.unknown)
        path.write_bytes(data)


def test_what_did_not_run_in_this_training_is_said(tmp_path: Path) -> None:
    run = sample_run()
    cached = replace(run.stages[0], source="run cache")
    unchanged = replace(run.stages[1], source="unchanged")
    repository = TrainedRepository(tmp_path / "repository")
    repository.record(
        replace(run, stages=(cached, unchanged), dirty=True, image=None, reason="drift")
    )
    repository.publish()
    found = lineage(repository.settings)
    assert "  started: drift" in "\n".join(render_text(found))
    unknown = "\n".join(found.unknown)
    for part in (
        "tiny_train did not run: another run's result was in DVC's run cache",
        "tiny_export did not run: nothing it depends on had changed",
        f"the code of {RUN} differed from its commit",
        f"{RUN} ran in no image",
    ):
        assert part in unknown


def test_a_split_and_a_shadow_have_their_shares(tmp_path: Path) -> None:
    settings = create_repository(tmp_path)
    targets = [publish_sample(settings, version).target for version in ("1.0.0", "1.1.0", "1.2.0")]
    variants = (Variant(targets[0], 3), Variant(targets[1], 1))
    split = Alias(variants, targets[2])
    move_alias(open_stage(settings, "staging"), "m", split, "alias", DEV)
    shares = {
        version: [
            node.details["share"] for node in lineage(settings, version, "m").of_kind("alias")
        ]
        for version in ("1.0.0", "1.1.0", "1.2.0")
    }
    assert shares == {"1.0.0": ["75 %"], "1.1.0": ["25 %"], "1.2.0": ["shadow"]}


def test_a_pruned_release_still_has_its_lineage(tmp_path: Path) -> None:
    settings = create_repository(tmp_path)
    for number in range(3):
        publish_sample(settings, f"1.{number}.0")
    for candidate in candidates(settings, ["m"], 1, ("staging",)):
        prune(settings, candidate, DEV)
    found = lineage(settings, "1.0.0", "m")
    [release] = found.of_kind("release")
    assert release.details["pruned"] is True
    assert "its artifact was removed" in "\n".join(render_text(found))


def test_a_few_small_requests_read_it_from_a_bucket(
    release_bucket: BucketStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toml = TOML.replace('store = "store"', f'store = "{release_bucket.location}"')
    repository = TrainedRepository(tmp_path / "repository", toml)
    repository.record(sample_run())
    repository.publish()
    repository.promote()
    settings = repository.settings
    requests: list[str] = []
    from botocore.httpsession import URLLib3Session

    send = URLLib3Session.send

    def counted(session: URLLib3Session, request: object) -> object:
        requests.append(f"{request.method} {request.url}")  # type: ignore[attr-defined]
        return send(session, request)  # type: ignore[arg-type]

    monkeypatch.setattr(URLLib3Session, "send", counted)
    found = lineage(settings)
    assert f"run:{RUN}" in {node.id for node in found.nodes}
    assert len(requests) <= 8, requests
    assert not any("/models/" in request for request in requests), "no artifact is read"


def test_the_command_prints_each_format(
    repository: TrainedRepository,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(repository.root)
    assert main(["lineage", "tiny", "1.2.0", "--stage", "staging"]) == 0
    assert capsys.readouterr().out.startswith("tiny 1.2.0\n\ndata\n")
    assert main(["lineage", "models/tiny", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["model"] == "tiny"
    assert main(["lineage", "tiny", "--format", "mermaid"]) == 0
    assert "flowchart TB" in capsys.readouterr().out
    assert main(["lineage", "tiny", "9.9.9"]) == 1
    assert "not a release" in capsys.readouterr().err


def facts_of(manifest: Manifest, weights_from: dict[str, WeightsSource] | None) -> ReleaseFacts:
    record = Record(
        manifest, "m_1.0.0.tar.gz", "5" * 64, "2026-11-30T23:40:00Z", Origin("7" * 40),
        weights_from=weights_from,
    )  # fmt: skip
    return ReleaseFacts((StoredRelease("production", record, None, ()),))


def test_a_prebuilt_model_names_its_package_and_its_licence() -> None:
    path = "ocr_detection/1/model.onnx"
    source = WeightsSource(
        "prebuilt",
        prebuilt="ocr",
        packages={"rapidocr": "3.10.0"},
        licences=("ocr_detection/1/LICENSE",),
    )
    manifest = Manifest("ocr", "1.0.0", "ocr", {}, {path: {"md5": "0" * 32, "size": 9}}, None, "s")
    found = build_lineage(facts_of(manifest, {path: source}))
    text = "\n".join(render_text(found))
    assert "prebuilt: rapidocr 3.10.0  licence ocr_detection/1/LICENSE" in text
    assert "on what rapidocr 3.10.0 was trained is not known here" in found.unknown
    without = build_lineage(facts_of(manifest, {path: replace(source, licences=())}))
    assert "no licence of rapidocr 3.10.0 is in the artifact" in without.unknown


def test_a_model_without_weights_has_a_short_lineage() -> None:
    found = build_lineage(facts_of(Manifest("m", "1.0.0", "m", {}, {}, None, "s"), {}))
    assert [node.kind for node in found.nodes] == ["artifact", "release"]
    assert found.unknown == ("no alias of production serves m_1.0.0.tar.gz now",)
