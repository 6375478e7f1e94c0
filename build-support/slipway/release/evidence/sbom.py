"""What is in an artifact's execution environment, and which weights: a CycloneDX SBOM.

Source: https://cyclonedx.org/specification; the library is CycloneDX's own. Equal artifacts have
equal SBOMs, so that a digest in the provenance covers it: its time and number are the artifact's.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from slipway.artifact.artifact import Artifact
from slipway.artifact.manifest import Manifest
from slipway.environment.lock import lock_content
from slipway.settings import Settings

if TYPE_CHECKING:
    from cyclonedx.model.component import Component

HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
PINNED = re.compile(r"([A-Za-z0-9._-]+)\s*==")
INTERPRETER = "python"
# names of files whose bytes are a trained model
MODEL_FILES = {".onnx", ".pt", ".pth", ".plan", ".engine", ".savedmodel", ".safetensors", ".gguf"}
NAMESPACE = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")  # RFC 9562: of URLs


def dump_sbom(artifact: Artifact, settings: Settings) -> bytes:
    """Return the SBOM of ``artifact`` as JSON.

    The hashes of packages are those of the model's lock, if it is the one that the artifact was
    built with.
    """
    from cyclonedx.model.bom import Bom
    from cyclonedx.output.json import BY_SCHEMA_VERSION

    made, sha256 = artifact.manifest, artifact.sha256
    model = _model(made, sha256)
    environment = _packages(made, settings)
    weights = [_weights(name, said) for name, said in sorted(made.weights.items())]
    bom = Bom(
        serial_number=uuid.uuid5(NAMESPACE, f"slipway:sbom:{sha256}"),
        components=[*environment, *weights],
    )
    bom.metadata.component = model
    bom.register_dependency(model, [*environment, *weights])
    newest = BY_SCHEMA_VERSION[max(BY_SCHEMA_VERSION, key=lambda version: version.value)]
    said = json.loads(newest(bom).output_as_string())
    # the time of writing, without which equal artifacts have equal SBOMs
    del said["metadata"]["timestamp"]
    return (json.dumps(said, indent=1, sort_keys=True) + "\n").encode()


def count_packages(document: bytes) -> int:
    """How many packages an SBOM that :func:`dump_sbom` wrote names.

    Raises:
        ValueError: it is none.
    """
    try:
        said = json.loads(document)
        if said["bomFormat"] != "CycloneDX":
            raise ValueError("its bomFormat is another one")
        return sum("purl" in component for component in said.get("components", ()))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"not a CycloneDX document: {error!r:.200}") from error


def _model(made: Manifest, sha256: str) -> Component:
    from cyclonedx.model import HashAlgorithm, HashType
    from cyclonedx.model.component import Component, ComponentType

    return Component(
        type=ComponentType.MACHINE_LEARNING_MODEL,
        name=made.name,
        version=made.version,
        bom_ref=f"model:{made.name}@{made.version}",
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=sha256)],
        properties=_properties({"serves": made.serves, "builder": made.builder}),
    )


def _packages(made: Manifest, settings: Settings) -> list[Component]:
    if made.environment is None:
        return []
    lock = settings.root / "models" / made.name / "requirements.lock"
    hashes = _hashes(lock, str(made.environment["lock"]))
    return [
        _interpreter(made.environment),
        *(
            _package(package, hashes.get(canonicalize_name(package["name"]), []))
            for package in made.environment["packages"]
            if package["name"] != INTERPRETER
        ),
    ]


def _interpreter(environment: Mapping[str, Any]) -> Component:
    from cyclonedx.model.component import Component, ComponentType
    from packageurl import PackageURL

    told = {"from": environment["interpreter"], "platform": environment["platform"]}
    return Component(
        type=ComponentType.PLATFORM,
        name=INTERPRETER,
        version=environment["python"],
        bom_ref=f"interpreter:{environment['python']}",
        purl=PackageURL("generic", name=INTERPRETER, version=environment["python"]),
        properties=_properties(told),
    )


def _package(package: Mapping[str, str], hashes: Sequence[str]) -> Component:
    from cyclonedx.model import (
        ExternalReference,
        ExternalReferenceType,
        HashAlgorithm,
        HashType,
        XsUri,
    )
    from cyclonedx.model.component import Component
    from packageurl import PackageURL

    name, version = package["name"], package["version"]
    kind = "pypi" if package["source"] == "pip" else "conda"
    purl = PackageURL(kind, name=name, version=version)
    found = [HashType(alg=HashAlgorithm.SHA_256, content=digest) for digest in sorted(hashes)]
    # a lock allows a wheel for each platform and the sources; only a single one is certain
    allowed = ExternalReference(
        type=ExternalReferenceType.DISTRIBUTION,
        url=XsUri(purl.to_string()),
        comment="one of the files that requirements.lock allows",
        hashes=found,
    )
    return Component(
        name=name,
        version=version,
        bom_ref=purl.to_string(),
        purl=purl,
        hashes=found if len(found) == 1 else (),
        external_references=[allowed] if found else (),
        properties=_properties({"from": package["source"]}),
    )


def _weights(name: str, said: Mapping[str, Any]) -> Component:
    from cyclonedx.model import HashAlgorithm, HashType
    from cyclonedx.model.component import Component, ComponentType

    md5 = str(said["md5"])
    trained = Path(name).suffix.lower() in MODEL_FILES
    told = {"dvc:md5": md5, "size": said.get("size")}
    return Component(
        type=ComponentType.MACHINE_LEARNING_MODEL if trained else ComponentType.DATA,
        name=name,
        bom_ref=f"weights:{name}",
        # DVC's digest of a folder is of its listing, not of a file
        hashes=() if md5.endswith(".dir") else [HashType(alg=HashAlgorithm.MD5, content=md5)],
        properties=_properties(told),
    )


def _properties(told: Mapping[str, object]) -> list[Any]:
    from cyclonedx.model import Property

    return [
        Property(name=f"slipway:{key}", value=str(value))
        for key, value in told.items()
        if value is not None
    ]


def _hashes(lock: Path, digest: str) -> dict[str, list[str]]:
    """The hashes that the lock allows for each package, if what it says has this digest."""
    if not lock.is_file():
        return {}
    text = lock_content(lock)
    if hashlib.sha256(text.encode()).hexdigest() != digest:
        return {}
    found: dict[str, list[str]] = {}
    for entry in text.replace("\\\n", " ").splitlines():
        pinned = PINNED.match(entry)
        if pinned:
            found[canonicalize_name(pinned[1])] = HASH.findall(entry)
    return found
