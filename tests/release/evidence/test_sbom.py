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
from tests.release.evidence.attested import Made, make

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
def made(tmp_path: Path) -> Made:
    return make(tmp_path / "checkout")


def document(made: Made, **environment: Any) -> dict[str, Any]:
    """The SBOM, of a manifest whose environment says otherwise what is given."""
    read = made.artifact.manifest
    changed = replace(read, environment={**(read.environment or {}), **environment})
    data = sbom.dump_sbom(_with_manifest(made, changed), made.settings)
    assert JsonStrictValidator(SchemaVersion.V1_7).validate_str(data.decode()) is None
    said: dict[str, Any] = json.loads(data)
    return said


def _with_manifest(made: Made, manifest: Manifest) -> Artifact:
    """The artifact as if its manifest were this one."""
    return Artifact(made.artifact.path, sha256=made.artifact.sha256, manifest=manifest)


def by_ref(said: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {component["bom-ref"]: component for component in said["components"]}


def properties(component: dict[str, Any]) -> dict[str, str]:
    return {entry["name"]: entry["value"] for entry in component["properties"]}


def locked(made: Made) -> dict[str, Any]:
    """The SBOM of an environment of LOCK, which lies beside the model."""
    lock = made.settings.root / "models/tiny/requirements.lock"
    lock.write_text(LOCK, encoding="utf-8")
    digest = hashlib.sha256(lock_content(lock).encode()).hexdigest()
    packages = [
        {"name": "python", "version": "3.12.1", "source": "local CPython 3.12.1"},
        {"name": "numpy", "version": "1.26.4", "source": "pip"},
        {"name": "pillow-extra", "version": "13.0.0", "source": "pip"},
        {"name": "libjpeg", "version": "9e", "source": "conda-forge"},
    ]
    return document(made, lock=digest, packages=packages)


def test_it_is_about_the_model_and_its_bytes(made: Made) -> None:
    said = document(made)
    about = said["metadata"]["component"]
    assert said["specVersion"] == "1.7"
    assert (about["type"], about["name"], about["version"]) == (
        "machine-learning-model",
        "tiny",
        "1.2.0",
    )
    assert about["hashes"] == [{"alg": "SHA-256", "content": made.artifact.sha256}]


def test_each_package_has_its_purl_and_the_interpreter_says_where_it_is_from(made: Made) -> None:
    found = by_ref(locked(made))
    assert {ref for ref in found if ref.startswith("pkg:")} == {
        "pkg:pypi/numpy@1.26.4",
        "pkg:pypi/pillow-extra@13.0.0",
        "pkg:conda/libjpeg@9e",
    }
    interpreter = found["interpreter:3.12.1"]
    assert (interpreter["type"], interpreter["purl"]) == ("platform", "pkg:generic/python@3.12.1")
    assert properties(interpreter)["slipway:from"] == "local CPython 3.12.1"


def test_the_lock_s_hashes_are_those_of_its_packages(made: Made) -> None:
    found = by_ref(locked(made))
    assert found["pkg:pypi/numpy@1.26.4"]["hashes"] == [{"alg": "SHA-256", "content": NUMPY}]
    several = found["pkg:pypi/pillow-extra@13.0.0"]
    assert "hashes" not in several
    allowed = several["externalReferences"][0]
    assert [entry["content"] for entry in allowed["hashes"]] == PILLOW
    assert "externalReferences" not in found["pkg:conda/libjpeg@9e"]


def test_another_lock_than_the_artifact_s_gives_no_hashes(made: Made) -> None:
    (made.settings.root / "models/tiny/requirements.lock").write_text(LOCK, encoding="utf-8")
    assert "externalReferences" not in by_ref(document(made))["pkg:pypi/numpy@1.26.4"]


def test_weights_are_components_with_dvc_s_digest(made: Made) -> None:
    weights = by_ref(document(made))["weights:tiny_inferencer/1/model.onnx"]
    assert weights["type"] == "machine-learning-model"
    assert weights["hashes"] == [{"alg": "MD5", "content": MD5}]


def test_a_folder_of_weights_has_the_digest_of_its_listing_as_a_property(made: Made) -> None:
    folder = {"tiny_inferencer/1/vocabulary": {"md5": f"{MD5}.dir", "size": 7}}
    data = sbom.dump_sbom(
        _with_manifest(made, replace(made.artifact.manifest, weights=folder)), made.settings
    )
    assert JsonStrictValidator(SchemaVersion.V1_7).validate_str(data.decode()) is None
    weights = by_ref(json.loads(data))["weights:tiny_inferencer/1/vocabulary"]
    assert weights["type"] == "data" and "hashes" not in weights
    assert properties(weights)["slipway:dvc:md5"] == f"{MD5}.dir"


def test_the_model_depends_on_everything_in_it(made: Made) -> None:
    said = locked(made)
    depends = {entry["ref"]: entry.get("dependsOn", []) for entry in said["dependencies"]}
    assert set(depends["model:tiny@1.2.0"]) == set(by_ref(said))


def test_equal_artifacts_have_equal_sboms(made: Made, tmp_path: Path) -> None:
    again = make(tmp_path / "elsewhere")
    assert again.artifact.sha256 == made.artifact.sha256
    assert document(made) == document(again)
    assert "timestamp" not in document(made)["metadata"]


def test_a_model_without_python_has_its_weights_alone(made: Made) -> None:
    bare = replace(made.artifact.manifest, environment=None)
    data = sbom.dump_sbom(_with_manifest(made, bare), made.settings)
    assert sbom.count_packages(data) == 0
    assert list(by_ref(json.loads(data))) == ["weights:tiny_inferencer/1/model.onnx"]


@pytest.mark.parametrize(
    "text",
    ["", "[]", "null", "{}", '{"bomFormat": "SPDX"}', '{"bomFormat": "CycloneDX"', "[" * 9999],
)
def test_what_is_no_sbom_is_said_to_be_none(text: str) -> None:
    with pytest.raises(ValueError, match="not a CycloneDX document"):
        sbom.count_packages(text.encode())
