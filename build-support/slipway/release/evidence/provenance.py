"""Write and parse the SLSA provenance of an artifact, an in-toto statement.

Source: https://slsa.dev/spec/v1.0/provenance. All but the details of the run comes from the
artifact's manifest, so that anyone can compare the two.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from slipway.artifact.artifact import Artifact
from slipway.artifact.manifest import Manifest
from slipway.catalog import journal
from slipway.catalog.commit import DIRTY
from slipway.catalog.origin import Origin
from slipway.release.evidence import statement
from slipway.release.evidence.test_result import damaged_evidence
from slipway.settings import Settings

TYPE = "https://slsa.dev/provenance/v1"
# docs/provenance.md explains its parameters
BUILD_TYPE = "urn:x-slipway:build:triton-model:v1"
LOCAL_BUILDER = "urn:x-slipway:builder:local"
SBOM = "sbom.cdx.json"
SBOM_TYPE = "application/vnd.cyclonedx+json"


@dataclass(frozen=True)
class Provenance:
    """The parts of a statement that Slipway uses; ``sbom`` is the SHA-256 of the SBOM's bytes,
    ``inputs`` are the digests of its dependencies, by algorithm, by their names."""

    name: str
    version: str
    commit: str | None
    builder: str
    invocation: str | None
    sbom: str | None
    inputs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def dump_provenance(
    artifact: Artifact, settings: Settings, origin: Origin, sbom: str | None
) -> bytes:
    """Return the statement about ``artifact``; ``sbom`` is the digest of its SBOM.

    In a GitLab job, the builder and its address come from the predefined variables.
    """
    from google.protobuf.json_format import MessageToDict, ParseDict
    from in_toto_attestation.predicates.provenance.v1 import provenance_pb2

    manifest = artifact.manifest
    byproducts = (
        [statement.resource_descriptor(SBOM, sha256=sbom, media_type=SBOM_TYPE)] if sbom else []
    )
    predicate = provenance_pb2.Provenance(
        build_definition=provenance_pb2.BuildDefinition(
            build_type=BUILD_TYPE,
            resolved_dependencies=_dependencies(manifest, origin),
        ),
        run_details=provenance_pb2.RunDetails(
            builder=provenance_pb2.Builder(id=_builder(), version=_versions(manifest)),
            metadata=ParseDict(_times(origin), provenance_pb2.BuildMetadata()),
            byproducts=byproducts,
        ),
    )
    predicate.build_definition.external_parameters.update(
        {"model": manifest.name, "version": manifest.version}
    )
    environment = manifest.environment or {}
    predicate.build_definition.internal_parameters.update(
        {
            "serves": manifest.serves,
            "tritonRelease": settings.triton_release,
            "platform": environment.get("platform", settings.platform),
            "layout": environment.get("layout"),
            **({"conversion": manifest.conversion} if manifest.conversion else {}),
        }
    )
    return statement.dump_statement(
        TYPE, MessageToDict(predicate), artifact_name(manifest), artifact.sha256
    )


def artifact_name(manifest: Manifest) -> str:
    """Return the file name that packing gives an artifact."""
    return f"{manifest.name}_{manifest.version}.tar.gz"


def parse_provenance(attested: statement.Statement, where: str) -> Provenance:
    """Return the provenance that :func:`dump_provenance` wrote.

    Raises:
        SlipwayError: the statement is not a provenance; names ``where``.
    """
    from google.protobuf.json_format import ParseDict, ParseError
    from in_toto_attestation.predicates.provenance.v1 import provenance_pb2

    if attested.kind != TYPE:
        raise damaged_evidence(where, f"a statement of the type {attested.kind[:200]!r}")
    try:
        predicate = ParseDict(dict(attested.predicate), provenance_pb2.Provenance())
    except (ParseError, RecursionError, TypeError, AttributeError, ValueError) as error:
        raise damaged_evidence(where, f"not a provenance: {error!s:.200}") from error
    definition, details = predicate.build_definition, predicate.run_details
    if definition.build_type != BUILD_TYPE:
        raise damaged_evidence(where, f"a build of the type {definition.build_type[:200]!r}")
    model, version = (_text(definition.external_parameters, key) for key in ("model", "version"))
    commits = [
        d.digest["gitCommit"] for d in definition.resolved_dependencies if "gitCommit" in d.digest
    ]
    dirty = any(_dirty(d.annotations) for d in definition.resolved_dependencies)
    sboms = [
        byproduct.digest.get("sha256") for byproduct in details.byproducts if byproduct.name == SBOM
    ]
    return Provenance(
        model,
        version,
        f"{commits[0]}{DIRTY if dirty else ''}" if commits else None,
        details.builder.id,
        details.metadata.invocation_id or None,
        (sboms[0] or "") if sboms else None,
        {d.name: dict(d.digest) for d in definition.resolved_dependencies if d.name},
    )


def _text(struct: Any, key: str) -> str:
    value = struct[key] if key in struct else ""  # noqa: SIM401  # a protobuf Struct has no get()
    return value if isinstance(value, str) else ""


def _dirty(annotations: Any) -> bool:
    return "dirty" in annotations and annotations["dirty"] is True


def _dependencies(manifest: Manifest, origin: Origin) -> list[Any]:
    """Return the commit, the sources, the weights, and what the environment was built from."""
    dependencies = []
    if origin.commit:
        project = os.environ.get("CI_PROJECT_URL")
        commit = origin.commit.removesuffix(DIRTY)
        dependencies.append(
            statement.resource_descriptor(
                "" if project else "git",
                uri=f"git+{project}@{commit}" if project else "",
                digest={"gitCommit": commit},
                annotations={"dirty": True if origin.commit.endswith(DIRTY) else None},
            )
        )
    for name, sha256 in sorted(manifest.sources.items()):
        dependencies.append(statement.resource_descriptor(name, sha256=sha256))
    for name, weights in sorted(manifest.weights.items()):
        # for a folder, this is the digest of DVC's listing of it
        md5 = str(weights["md5"]).removesuffix(".dir")
        dependencies.append(
            statement.resource_descriptor(
                name, digest={"md5": md5}, annotations={"size": weights.get("size")}
            )
        )
    if manifest.conversion:
        dependencies += _original(manifest.conversion)
    if manifest.fold:
        source = manifest.fold["sources"].get(manifest.fold["graph"])
        name = f"folded/{manifest.fold['graph']}"
        dependencies += (
            [statement.resource_descriptor(name, digest={"md5": source})] if source else []
        )
    if manifest.environment:
        dependencies += _environment(manifest.environment)
    return dependencies


def _original(conversion: Mapping[str, Any]) -> list[Any]:
    """Return the file that was converted, and the lock of what converted it."""
    source = conversion["source"]
    return [
        statement.resource_descriptor(
            f"original/{source['name']}",
            sha256=source["sha256"],
            annotations={"size": source["size"], "format": conversion["format"]},
        ),
        statement.resource_descriptor("original/requirements.lock", sha256=conversion["lock"]),
    ]


def _environment(environment: Mapping[str, Any]) -> list[Any]:
    return [
        statement.resource_descriptor(
            "requirements.lock", sha256=environment["lock"], annotations={"of": "content"}
        ),
        statement.resource_descriptor(
            "interpreter",
            uri="",
            annotations={"from": environment["interpreter"], "version": environment["python"]},
        ),
        statement.resource_descriptor("environment.tar.gz", sha256=environment["sha256"]),
    ]


def _builder() -> str:
    """Return GitLab's server and runner: SLSA requires one URI for each trusted platform."""
    server = os.environ.get("CI_SERVER_URL")
    if not server:
        return LOCAL_BUILDER
    runner = os.environ.get("CI_RUNNER_ID")
    return f"{server}/-/runners/{runner}" if runner else server


def _versions(manifest: Manifest) -> dict[str, str]:
    name, _, version = manifest.builder.partition(" ")
    return {name: version}


def _times(origin: Origin) -> dict[str, str]:
    """Return when the pipeline started, if known, and the current time, both in ISO 8601."""
    values = {"finishedOn": journal.now()}
    started = os.environ.get("CI_PIPELINE_CREATED_AT")
    if started:
        values["startedOn"] = started
    if origin.pipeline:
        values["invocationId"] = origin.pipeline
    return values
