"""A model's tests depend on its artifact and cases without declaring it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import PurePath

from pants.backend.python.goals.pytest_runner import PytestPluginSetup, PytestPluginSetupRequest
from pants.backend.python.target_types import PythonTestSourceField
from pants.core.util_rules.source_files import SourceFiles, SourceFilesRequest
from pants.engine.addresses import Addresses
from pants.engine.fs import (
    CreateDigest,
    Digest,
    DigestEntries,
    FileContent,
    FileEntry,
    MergeDigests,
    PathGlobs,
)
from pants.engine.rules import Get, MultiGet, Rule, collect_rules, rule
from pants.engine.target import (
    FieldSet,
    InferDependenciesRequest,
    InferredDependencies,
    Target,
    Targets,
)
from pants.engine.unions import UnionRule

from slipway_pants import layout
from slipway_pants.requests import Artifact, ArtifactFieldSet, ArtifactRequest, Models
from slipway_pants.targets import CasesSourcesField


@dataclass(frozen=True)
class TestFieldSet(FieldSet):
    required_fields = (PythonTestSourceField,)

    source: PythonTestSourceField


class InferArtifactRequest(InferDependenciesRequest[TestFieldSet]):
    infer_from = TestFieldSet


class ArtifactForTestsRequest(PytestPluginSetupRequest):
    @classmethod
    def is_applicable(cls, target: Target) -> bool:
        return target.has_field(PythonTestSourceField)


@rule
async def artifact_for_tests(request: ArtifactForTestsRequest, models: Models) -> PytestPluginSetup:
    model = models.containing(request.target.address.spec_path)
    if model is None:
        return PytestPluginSetup()
    targets, settings = await MultiGet(
        Get(Targets, Addresses(model.addresses)),
        Get(Digest, PathGlobs([layout.SETTINGS])),
    )
    fields = next(ArtifactFieldSet.create(t) for t in targets if ArtifactFieldSet.is_applicable(t))
    artifact, cases = await MultiGet(
        Get(Artifact, ArtifactRequest(fields.sources, fields.weights, fields.environment)),
        Get(
            SourceFiles,
            SourceFilesRequest(
                t[CasesSourcesField] for t in targets if t.has_field(CasesSourcesField)
            ),
        ),
    )
    name = PurePath(artifact.folder).name
    if artifact.problem:
        error = FileContent(f"{layout.FOR_TESTS}/{name}.error.txt", artifact.problem.encode())
        provided = await Get(Digest, CreateDigest([error]))
    else:
        entries = await Get(DigestEntries, Digest, artifact.digest)
        renamed = [
            replace(entry, path=f"{layout.FOR_TESTS}/{name}.tar.gz")
            for entry in entries
            if isinstance(entry, FileEntry) and entry.path == artifact.file
        ]
        provided = await Get(Digest, CreateDigest(renamed))
    return PytestPluginSetup(
        await Get(Digest, MergeDigests([provided, settings, cases.snapshot.digest]))
    )


@rule
async def infer_artifact(request: InferArtifactRequest, models: Models) -> InferredDependencies:
    model = models.containing(request.field_set.address.spec_path)
    return InferredDependencies(model.addresses if model else ())


def rules() -> Iterable[Rule | UnionRule]:
    """Return this module's rules."""
    return [
        *collect_rules(),
        UnionRule(InferDependenciesRequest, InferArtifactRequest),
        UnionRule(PytestPluginSetupRequest, ArtifactForTestsRequest),
    ]
