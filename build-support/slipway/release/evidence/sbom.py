"""Write the CycloneDX SBOM of an artifact: the packages of its execution environment, its weights.

Source: https://cyclonedx.org/specification; the library is CycloneDX's own. Equal artifacts have
equal SBOMs, so that the digest in the provenance covers the SBOM. Its serial number is derived from
the artifact's digest, and it holds no time.
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
# the suffixes of trained models
MODEL_FILES = {".onnx", ".pt", ".pth", ".plan", ".engine", ".savedmodel", ".safetensors", ".gguf"}
NAMESPACE = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")  # RFC 9562: the namespace of URLs


def dump_sbom(artifact: Artifact, settings: Settings) -> bytes:
    """Return the SBOM of ``artifact`` as JSON.

    The hashes of packages come from the model's lock, if the artifact was built with it.
    """
    from cyclonedx.model.bom import Bom
    from cyclonedx.output.json import BY_SCHEMA_VERSION

    manifest, sha256 = artifact.manifest, artifact.sha256
    model = _model(manifest, sha256)
    environment = _packages(manifest, settings)
    weights = [_weights(name, entry) for name, entry in sorted(manifest.weights.items())]
    bom = Bom(
        serial_number=uuid.uuid5(NAMESPACE, f"slipway:sbom:{sha256}"),
        components=[*environment, *weights],
    )
    bom.metadata.component = model
    bom.register_dependency(model, [*environment, *weights])
    newest = BY_SCHEMA_VERSION[max(BY_SCHEMA_VERSION, key=lambda version: version.value)]
    values = json.loads(newest(bom).output_as_string())
    # without the time of writing, equal artifacts have equal SBOMs
    del values["metadata"]["timestamp"]
    return (json.dumps(values, indent=1, sort_keys=True) + "\n").encode()


def count_packages(document: bytes) -> int:
    """Return the number of packages in an SBOM that :func:`dump_sbom` wrote.

    Raises:
        ValueError: ``document`` is not a CycloneDX document.
    """
    try:
        values = json.loads(document)
        if values["bomFormat"] != "CycloneDX":
            raise ValueError(f"bomFormat is {values['bomFormat']!r:.40}")
        return sum("purl" in component for component in values.get("components", ()))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"not a CycloneDX document: {error!r:.200}") from error


def _model(manifest: Manifest, sha256: str) -> Component:
    from cyclonedx.model import HashAlgorithm, HashType
    from cyclonedx.model.component import Component, ComponentType

    return Component(
        type=ComponentType.MACHINE_LEARNING_MODEL,
        name=manifest.name,
        version=manifest.version,
        bom_ref=f"model:{manifest.name}@{manifest.version}",
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=sha256)],
        properties=_properties({"serves": manifest.serves, "builder": manifest.builder}),
    )


def _packages(manifest: Manifest, settings: Settings) -> list[Component]:
    described = manifest.environment or manifest.container
    if described is None:
        return []
    lock = settings.root / "models" / manifest.name / "requirements.lock"
    hashes = _hashes(lock, str(described["lock"]))
    if manifest.environment is None:  # an image has the interpreter of a container
        return [
            _package(package, hashes.get(canonicalize_name(package["name"]), []))
            for package in described["packages"]
        ]
    return [
        _interpreter(manifest.environment),
        *(
            _package(package, hashes.get(canonicalize_name(package["name"]), []))
            for package in manifest.environment["packages"]
            if package["name"] != INTERPRETER
        ),
    ]


def _interpreter(environment: Mapping[str, Any]) -> Component:
    from cyclonedx.model.component import Component, ComponentType
    from packageurl import PackageURL

    properties = {"from": environment["interpreter"], "platform": environment["platform"]}
    return Component(
        type=ComponentType.PLATFORM,
        name=INTERPRETER,
        version=environment["python"],
        bom_ref=f"interpreter:{environment['python']}",
        purl=PackageURL("generic", name=INTERPRETER, version=environment["python"]),
        properties=_properties(properties),
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
    folder, is_shared, digest = package["source"].partition("@sha256:")
    kind = "generic" if is_shared else "pypi" if folder == "pip" else "conda"
    qualifiers = {"checksum": f"sha256:{digest}"} if is_shared else None
    purl = PackageURL(kind, name=name, version=version, qualifiers=qualifiers)
    file_hashes = [HashType(alg=HashAlgorithm.SHA_256, content=digest) for digest in sorted(hashes)]
    # a lock allows a wheel for each platform, and the sources: only a single hash is certain
    allowed = ExternalReference(
        type=ExternalReferenceType.DISTRIBUTION,
        url=XsUri(purl.to_string()),
        comment="one of the files that requirements.lock allows",
        hashes=file_hashes,
    )
    return Component(
        name=name,
        version=version,
        bom_ref=purl.to_string(),
        purl=purl,
        hashes=file_hashes if len(file_hashes) == 1 else (),
        external_references=[allowed] if file_hashes else (),
        properties=_properties({"from": package["source"]}),
    )


def _weights(name: str, entry: Mapping[str, Any]) -> Component:
    from cyclonedx.model import HashAlgorithm, HashType
    from cyclonedx.model.component import Component, ComponentType

    md5 = str(entry["md5"])
    trained = Path(name).suffix.lower() in MODEL_FILES
    properties = {"dvc:md5": md5, "size": entry.get("size")}
    return Component(
        type=ComponentType.MACHINE_LEARNING_MODEL if trained else ComponentType.DATA,
        name=name,
        bom_ref=f"weights:{name}",
        # for a folder, DVC records the digest of its listing, not of a file
        hashes=() if md5.endswith(".dir") else [HashType(alg=HashAlgorithm.MD5, content=md5)],
        properties=_properties(properties),
    )


def _properties(values: Mapping[str, object]) -> list[Any]:
    from cyclonedx.model import Property

    return [
        Property(name=f"slipway:{key}", value=str(value))
        for key, value in values.items()
        if value is not None
    ]


def _hashes(lock: Path, digest: str) -> dict[str, list[str]]:
    """Return the hashes that the lock allows for each package, if its content has this digest."""
    if not lock.is_file():
        return {}
    text = lock_content(lock)
    if hashlib.sha256(text.encode()).hexdigest() != digest:
        return {}
    hashes: dict[str, list[str]] = {}
    for entry in text.replace("\\\n", " ").splitlines():
        pinned = PINNED.match(entry)
        if pinned:
            hashes[canonicalize_name(pinned[1])] = HASH.findall(entry)
    return hashes
