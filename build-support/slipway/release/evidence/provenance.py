"""Where an artifact is from: SLSA's provenance of it, as an in-toto statement.

Source: https://slsa.dev/spec/v1.0/provenance. All but the run's own details comes from the
artifact's manifest, so that anyone can hold them against each other.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from slipway.artifact.artifact import Artifact
from slipway.artifact.manifest import Manifest
from slipway.catalog import journal
from slipway.catalog.origin import Origin
from slipway.release.evidence import statement
from slipway.release.evidence.test_result import damaged_evidence
from slipway.settings import Settings

TYPE = "https://slsa.dev/provenance/v1"
# what is built how: docs/provenance.md explains its parameters
BUILD_TYPE = "urn:x-slipway:build:triton-model:v1"
LOCAL_BUILDER = "urn:x-slipway:builder:local"
DIRTY = "-dirty"
SBOM = "sbom.cdx.json"
SBOM_TYPE = "application/vnd.cyclonedx+json"


@dataclass(frozen=True)
class Provenance:
    """The parts of a statement that Slipway uses; ``sbom`` is the SHA-256 of the SBOM's bytes."""

    name: str
    version: str
    commit: str | None
    builder: str
    invocation: str | None
    sbom: str | None


def dump_provenance(
    artifact: Artifact, settings: Settings, origin: Origin, sbom: str | None
) -> bytes:
    """Return the statement about ``artifact``; ``sbom`` is the digest of its SBOM.

    Inside a job of GitLab's, builder and address are those of its predefined variables.
    """
    from google.protobuf.json_format import MessageToDict, ParseDict
    from in_toto_attestation.predicates.provenance.v1 import provenance_pb2

    made = artifact.manifest
    byproducts = (
        [statement.resource_descriptor(SBOM, sha256=sbom, media_type=SBOM_TYPE)] if sbom else []
    )
    said = provenance_pb2.Provenance(
        build_definition=provenance_pb2.BuildDefinition(
            build_type=BUILD_TYPE,
            resolved_dependencies=_dependencies(made, origin),
        ),
        run_details=provenance_pb2.RunDetails(
            builder=provenance_pb2.Builder(id=_builder(), version=_versions(made)),
            metadata=ParseDict(_times(origin), provenance_pb2.BuildMetadata()),
            byproducts=byproducts,
        ),
    )
    said.build_definition.external_parameters.update({"model": made.name, "version": made.version})
    environment = made.environment or {}
    said.build_definition.internal_parameters.update(
        {
            "serves": made.serves,
            "tritonRelease": settings.triton_release,
            "platform": environment.get("platform", settings.platform),
            "layout": environment.get("layout"),
        }
    )
    return statement.dump_statement(TYPE, MessageToDict(said), artifact_name(made), artifact.sha256)


def artifact_name(made: Manifest) -> str:
    """The name that packing gives an artifact."""
    return f"{made.name}_{made.version}.tar.gz"


def parse_provenance(said: statement.Statement, where: str) -> Provenance:
    """What :func:`dump_provenance` wrote.

    Raises:
        SlipwayError: it is none; ``where`` is named.
    """
    from google.protobuf.json_format import ParseDict, ParseError
    from in_toto_attestation.predicates.provenance.v1 import provenance_pb2

    if said.kind != TYPE:
        raise damaged_evidence(where, f"a statement of the type {said.kind[:200]!r}")
    try:
        read = ParseDict(dict(said.predicate), provenance_pb2.Provenance())
    except (ParseError, RecursionError, TypeError, AttributeError, ValueError) as error:
        raise damaged_evidence(where, f"not a provenance: {error!s:.200}") from error
    defined, ran = read.build_definition, read.run_details
    if defined.build_type != BUILD_TYPE:
        raise damaged_evidence(where, f"a build of the type {defined.build_type[:200]!r}")
    model, version = (_text(defined.external_parameters, key) for key in ("model", "version"))
    commits = [
        d.digest["gitCommit"] for d in defined.resolved_dependencies if "gitCommit" in d.digest
    ]
    dirty = any(_dirty(d.annotations) for d in defined.resolved_dependencies)
    sboms = [made.digest.get("sha256") for made in ran.byproducts if made.name == SBOM]
    return Provenance(
        model,
        version,
        f"{commits[0]}{DIRTY if dirty else ''}" if commits else None,
        ran.builder.id,
        ran.metadata.invocation_id or None,
        (sboms[0] or "") if sboms else None,
    )


def _text(struct: Any, key: str) -> str:
    found = struct[key] if key in struct else ""  # noqa: SIM401  # a protobuf Struct has no get()
    return found if isinstance(found, str) else ""


def _dirty(annotations: Any) -> bool:
    return "dirty" in annotations and annotations["dirty"] is True


def _dependencies(made: Manifest, origin: Origin) -> list[Any]:
    """The commit, each source, the weights, then what the environment was built of."""
    found = []
    if origin.commit:
        project = os.environ.get("CI_PROJECT_URL")
        commit = origin.commit.removesuffix(DIRTY)
        found.append(
            statement.resource_descriptor(
                "" if project else "git",
                uri=f"git+{project}@{commit}" if project else "",
                digest={"gitCommit": commit},
                annotations={"dirty": True if origin.commit.endswith(DIRTY) else None},
            )
        )
    for name, sha256 in sorted(made.sources.items()):
        found.append(statement.resource_descriptor(name, sha256=sha256))
    for name, weights in sorted(made.weights.items()):
        # a folder's is the digest of DVC's listing of it
        md5 = str(weights["md5"]).removesuffix(".dir")
        found.append(
            statement.resource_descriptor(
                name, digest={"md5": md5}, annotations={"size": weights.get("size")}
            )
        )
    if made.environment:
        found += _environment(made.environment)
    return found


def _environment(said: Mapping[str, Any]) -> list[Any]:
    return [
        statement.resource_descriptor(
            "requirements.lock", sha256=said["lock"], annotations={"of": "content"}
        ),
        statement.resource_descriptor(
            "interpreter",
            uri="",
            annotations={"from": said["interpreter"], "version": said["python"]},
        ),
        statement.resource_descriptor("environment.tar.gz", sha256=said["sha256"]),
    ]


def _builder() -> str:
    """Who built: GitLab's server and runner, as SLSA wants one URI for a trusted platform."""
    server = os.environ.get("CI_SERVER_URL")
    if not server:
        return LOCAL_BUILDER
    runner = os.environ.get("CI_RUNNER_ID")
    return f"{server}/-/runners/{runner}" if runner else server


def _versions(made: Manifest) -> dict[str, str]:
    name, _, version = made.builder.partition(" ")
    return {name: version}


def _times(origin: Origin) -> dict[str, str]:
    """The pipeline's beginning, where one is known, and now; GitLab's times are in ISO 8601."""
    told = {"finishedOn": journal.now()}
    begun = os.environ.get("CI_PIPELINE_CREATED_AT")
    if begun:
        told["startedOn"] = begun
    if origin.pipeline:
        told["invocationId"] = origin.pipeline
    return told
