"""Write and parse the statement of a training: which run made the weights, and from what.

It is an in-toto statement of SLSA provenance v1 about the files that the run made and the artifact
holds. All of it but the origin of the data follows from the run's record, which it contains. So a
statement that says anything else than its record is noticed.

Source: https://slsa.dev/spec/v1.0/provenance; docs/lineage.md explains the parameters.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from slipway.catalog.weights_source import RunReference
from slipway.errors import SlipwayError
from slipway.release.evidence import provenance, statement
from slipway.release.evidence.test_result import damaged_evidence
from slipway.training.inputs import find_inputs
from slipway.training.run import DataFile, TrainingRun, dump_run, parse_run
from slipway.training.types import reject_other_types

TYPE = provenance.TYPE
# its fields never change their meaning: another form of the statement is a v2
BUILD_TYPE = "urn:x-slipway:build:training:v1"
BUILDER = "urn:x-slipway:builder:training:"
RUN, METRICS, COMPARED = "run.json", "metrics.json", "comparison.json"
JSON = "application/json"


@dataclass(frozen=True)
class AttestedTraining:
    """A training run, and the files of an artifact that it made.

    ``subjects`` are their digests, by algorithm, by their names in the artifact; a file that was
    converted is ``original/<name>``. ``sources`` say of data, by its path, where it came from, as
    :func:`slipway.release.evidence.data_source.find_sources` does. ``record`` are the bytes of the
    run's ``run.json``, which an earlier Slipway may have written; by default those of this one.
    """

    run: TrainingRun
    subjects: Mapping[str, Mapping[str, str]]
    sources: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    record: bytes = b""

    @property
    def content(self) -> bytes:
        """The bytes of ``run.json``."""
        return self.record or dump_run(self.run).encode()

    @property
    def reference(self) -> RunReference:
        """Return how a release's record names the run."""
        digest = hashlib.sha256(self.content).hexdigest()
        return RunReference(self.run.id, digest, self.run.place)


def dump_training(attested: AttestedTraining) -> bytes:
    """Return the statement, the payload of an envelope: equal bytes for equal values."""
    subjects = [
        statement.resource_descriptor(name, digest=digest)
        for name, digest in sorted(attested.subjects.items())
    ]
    return statement.dump_about(TYPE, _predicate(attested), subjects)


def parse_training(attested: statement.Statement, where: str) -> AttestedTraining:
    """Return the training that :func:`dump_training` wrote.

    Raises:
        SlipwayError: the statement is of another kind, or says something else than the record of
            the run in it; names ``where``.
    """
    from google.protobuf.json_format import ParseError

    try:
        definition = attested.predicate["buildDefinition"]
        if attested.kind != TYPE or definition["buildType"] != BUILD_TYPE:
            raise ValueError(f"a statement of the type {str(definition['buildType'])[:200]!r}")
        record = _embedded_record(attested.predicate["runDetails"]["byproducts"])
        run = parse_run(record.decode(), where=where)
        reject_other_types(run)
        sources = {
            dependency["name"]: dict(dependency["annotations"]["source"])
            for dependency in definition.get("resolvedDependencies", ())
            if "source" in dependency.get("annotations", {})
        }
        training = AttestedTraining(run, attested.subjects, sources, record)
        made = {digest_of(out).get("md5") for stage in run.stages for out in stage.outs}
        for name, digest in attested.subjects.items():
            if not digest.get("md5") or digest["md5"] not in made:
                raise ValueError(f"its run did not make {name!r:.200}")
        expected = statement.parse_statement(dump_training(training)).predicate
    except (
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
        OverflowError,
        RecursionError,
        ParseError,
        SlipwayError,
    ) as error:
        what = error.what if isinstance(error, SlipwayError) else f"{error!s:.300}"
        raise damaged_evidence(where, f"not the statement of a training: {what}") from error
    if expected != attested.predicate:
        raise damaged_evidence(where, f"it says something else than the record of {run.id} in it")
    return training


def digest_of(file: DataFile) -> dict[str, str]:
    """Return a file's digest by its algorithm; of a folder, that of DVC's listing of it."""
    algorithm, _, value = file.hash.partition(":")
    return {algorithm: value.removesuffix(".dir")} if value else {}


def _predicate(attested: AttestedTraining) -> dict[str, Any]:
    from google.protobuf.json_format import MessageToDict, ParseDict
    from in_toto_attestation.predicates.provenance.v1 import provenance_pb2

    run = attested.run
    predicate = provenance_pb2.Provenance(
        build_definition=provenance_pb2.BuildDefinition(
            build_type=BUILD_TYPE, resolved_dependencies=_dependencies(attested)
        ),
        run_details=provenance_pb2.RunDetails(
            builder=provenance_pb2.Builder(id=f"{BUILDER}{run.place}"),
            metadata=ParseDict(_times(run), provenance_pb2.BuildMetadata()),
            byproducts=_byproducts(attested),
        ),
    )
    predicate.build_definition.external_parameters.update(
        {"model": run.model, "parameters": _finite(dict(run.parameters))}
    )
    predicate.build_definition.internal_parameters.update(
        {
            "place": run.place,
            "jobs": list(run.jobs),
            "stages": [
                {"name": stage.name, "command": stage.cmd, "source": stage.source}
                for stage in run.stages
            ],
        }
    )
    values: dict[str, Any] = MessageToDict(predicate)
    return values


def _dependencies(attested: AttestedTraining) -> list[Any]:
    """Return the code's commit, the image, the lock, and the files that the stages read."""
    run = attested.run
    dependencies = []
    if run.commit:
        dependencies.append(
            statement.resource_descriptor(
                "git",
                digest={"gitCommit": run.commit},
                annotations={"dirty": True if run.dirty else None},
            )
        )
    if run.image:
        name, _, digest = run.image.rpartition("@")
        dependencies.append(
            statement.resource_descriptor("image", uri=name, sha256=digest.removeprefix("sha256:"))
        )
    if run.lock_sha256:
        dependencies.append(
            statement.resource_descriptor("training/requirements.lock", sha256=run.lock_sha256)
        )
    for file in find_inputs(run):
        dependencies.append(
            statement.resource_descriptor(
                file.path,
                digest=digest_of(file),
                annotations={"size": file.size, "source": attested.sources.get(file.path)},
            )
        )
    return dependencies


def _byproducts(attested: AttestedTraining) -> list[Any]:
    """Return the run's record itself, its metrics, and what it was compared with."""
    run = attested.run
    documents = {RUN: attested.content, METRICS: _json(dict(run.metrics))}
    if run.compared is not None:
        compared = run.compared
        documents[COMPARED] = _json(
            {
                "release": compared.release,
                "metrics": dict(compared.metrics),
                "verdict": compared.verdict,
            }
        )
    return [
        statement.resource_descriptor(
            name, sha256=hashlib.sha256(content).hexdigest(), content=content, media_type=JSON
        )
        for name, content in documents.items()
    ]


def _embedded_record(byproducts: Any) -> bytes:
    (embedded,) = (byproduct for byproduct in byproducts if byproduct["name"] == RUN)
    content = base64.b64decode(embedded["content"], validate=True)
    if hashlib.sha256(content).hexdigest() != embedded["digest"]["sha256"]:
        raise ValueError(f"{RUN} has another digest than the statement says")
    return content


def _times(run: TrainingRun) -> dict[str, str]:
    values = {"invocationId": run.id, "startedOn": run.started}
    finished = datetime.fromisoformat(run.started) + timedelta(seconds=round(run.seconds))
    values["finishedOn"] = finished.strftime("%Y-%m-%dT%H:%M:%SZ")
    return values


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True) + "\n").encode()


def _finite(value: Any) -> Any:
    """Return ``value`` with text for NaN and infinity, which JSON has not."""
    if isinstance(value, dict):
        return {str(key): _finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
