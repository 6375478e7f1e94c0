"""The SBOM of an artifact: every package and the weights, as CycloneDX's own validator wants it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from slipway.artifact.artifact import Artifact
from slipway.artifact.manifest import Manifest
from slipway.environment.lock import lock_content
from slipway.release.evidence import sbom
from tests.release.evidence.sample_model import SampleModel, pack_sample

MD5 = hashlib.md5(b"weights" * 9000).hexdigest()
NUMPY, PILLOW = "1" * 64, ["2" * 64, "3" * 64]
LOCK = f"""# slipway: requirements sha256=…
numpy==1.26.4 \\
    --hash=sha256:{NUMPY}
    # via -r requirements.txt
Pillow_Extra==13.0.0 \\
    --hash=sha256:{PILLOW[1]} \\
    --hash=sha256:{PILLOW[0]}
"""


@pytest.fixture
def sample(tmp_path: Path) -> SampleModel:
    return pack_sample(tmp_path / "checkout")


def document(sample: SampleModel, **environment: Any) -> dict[str, Any]:
    """The SBOM, of a manifest whose environment says otherwise what is given."""
    read = sample.artifact.manifest
    changed = replace(read, environment={**(read.environment or {}), **environment})
    data = sbom.dump_sbom(_with_manifest(sample, changed), sample.settings)
    assert JsonStrictValidator(SchemaVersion.V1_7).validate_str(data.decode()) is None
    said: dict[str, Any] = json.loads(data)
    return said


def _with_manifest(sample: SampleModel, manifest: Manifest) -> Artifact:
    """The artifact as if its manifest were this one."""
    return Artifact(sample.artifact.path, sha256=sample.artifact.sha256, manifest=manifest)


def by_ref(said: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {component["bom-ref"]: component for component in said["components"]}


def properties(component: dict[str, Any]) -> dict[str, str]:
    return {entry["name"]: entry["value"] for entry in component["properties"]}


def locked(sample: SampleModel) -> dict[str, Any]:
    """The SBOM of an environment of LOCK, which lies beside the model."""
    lock = sample.settings.root / "models/tiny/requirements.lock"
    lock.write_text(LOCK, encoding="utf-8")
    digest = hashlib.sha256(lock_content(lock).encode()).hexdigest()
    packages = [
        {"name": "python", "version": "3.12.1", "source": "local CPython 3.12.1"},
        {"name": "numpy", "version": "1.26.4", "source": "pip"},
        {"name": "pillow-extra", "version": "13.0.0", "source": "pip"},
        {"name": "libjpeg", "version": "9e", "source": "conda-forge"},
    ]
    return document(sample, lock=digest, packages=packages)


def test_it_is_about_the_model_and_its_bytes(sample: SampleModel) -> None:
    said = document(sample)
    about = said["metadata"]["component"]
    assert said["specVersion"] == "1.7"
    assert (about["type"], about["name"], about["version"]) == (
        "machine-learning-model",
        "tiny",
        "1.2.0",
    )
    assert about["hashes"] == [{"alg": "SHA-256", "content": sample.artifact.sha256}]


def test_each_package_has_its_purl_and_the_interpreter_says_where_it_is_from(
    sample: SampleModel,
) -> None:
    found = by_ref(locked(sample))
    assert {ref for ref in found if ref.startswith("pkg:")} == {
        "pkg:pypi/numpy@1.26.4",
        "pkg:pypi/pillow-extra@13.0.0",
        "pkg:conda/libjpeg@9e",
    }
    interpreter = found["interpreter:3.12.1"]
    assert (interpreter["type"], interpreter["purl"]) == ("platform", "pkg:generic/python@3.12.1")
    assert properties(interpreter)["slipway:from"] == "local CPython 3.12.1"


def test_the_lock_s_hashes_are_those_of_its_packages(sample: SampleModel) -> None:
    found = by_ref(locked(sample))
    assert found["pkg:pypi/numpy@1.26.4"]["hashes"] == [{"alg": "SHA-256", "content": NUMPY}]
    several = found["pkg:pypi/pillow-extra@13.0.0"]
    assert "hashes" not in several
    allowed = several["externalReferences"][0]
    assert [entry["content"] for entry in allowed["hashes"]] == PILLOW
    assert "externalReferences" not in found["pkg:conda/libjpeg@9e"]


def test_another_lock_than_the_artifact_s_gives_no_hashes(sample: SampleModel) -> None:
    (sample.settings.root / "models/tiny/requirements.lock").write_text(LOCK, encoding="utf-8")
    assert "externalReferences" not in by_ref(document(sample))["pkg:pypi/numpy@1.26.4"]


def test_weights_are_components_with_dvc_s_digest(sample: SampleModel) -> None:
    weights = by_ref(document(sample))["weights:tiny_inferencer/1/model.onnx"]
    assert weights["type"] == "machine-learning-model"
    assert weights["hashes"] == [{"alg": "MD5", "content": MD5}]


def test_a_folder_of_weights_has_the_digest_of_its_listing_as_a_property(
    sample: SampleModel,
) -> None:
    folder = {"tiny_inferencer/1/vocabulary": {"md5": f"{MD5}.dir", "size": 7}}
    data = sbom.dump_sbom(
        _with_manifest(sample, replace(sample.artifact.manifest, weights=folder)), sample.settings
    )
    assert JsonStrictValidator(SchemaVersion.V1_7).validate_str(data.decode()) is None
    weights = by_ref(json.loads(data))["weights:tiny_inferencer/1/vocabulary"]
    assert weights["type"] == "data" and "hashes" not in weights
    assert properties(weights)["slipway:dvc:md5"] == f"{MD5}.dir"


def test_the_model_depends_on_everything_in_it(sample: SampleModel) -> None:
    said = locked(sample)
    depends = {entry["ref"]: entry.get("dependsOn", []) for entry in said["dependencies"]}
    assert set(depends["model:tiny@1.2.0"]) == set(by_ref(said))


def test_equal_artifacts_have_equal_sboms(sample: SampleModel, tmp_path: Path) -> None:
    again = pack_sample(tmp_path / "elsewhere")
    assert again.artifact.sha256 == sample.artifact.sha256
    assert document(sample) == document(again)
    assert "timestamp" not in document(sample)["metadata"]


def test_a_model_without_python_has_its_weights_alone(sample: SampleModel) -> None:
    bare = replace(sample.artifact.manifest, environment=None)
    data = sbom.dump_sbom(_with_manifest(sample, bare), sample.settings)
    assert sbom.count_packages(data) == 0
    assert list(by_ref(json.loads(data))) == ["weights:tiny_inferencer/1/model.onnx"]


@pytest.mark.parametrize(
    "text",
    ["", "[]", "null", "{}", '{"bomFormat": "SPDX"}', '{"bomFormat": "CycloneDX"', "[" * 9999],
)
def test_a_document_that_is_not_an_sbom_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a CycloneDX document"):
        sbom.count_packages(text.encode())
