"""A model's tests get its artifact and its cases, without naming them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import PurePath

from pants.backend.python.goals.pytest_runner import PytestPluginSetup, PytestPluginSetupRequest
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
from pants.engine.target import InferDependenciesRequest, InferredDependencies, Targets
from pants.engine.unions import UnionRule

from slipway_pants import layout
from slipway_pants.requests import (
    Artifact,
    ArtifactFieldSet,
    ArtifactForTestsRequest,
    ArtifactRequest,
    InferArtifactRequest,
    Models,
)
from slipway_pants.targets import CasesSourcesField


@rule
async def artifact_for_tests(request: ArtifactForTestsRequest, models: Models) -> PytestPluginSetup:
    model = models.of(request.target.address.spec_path)
    if model is None:
        return PytestPluginSetup()
    targets, settings = await MultiGet(
        Get(Targets, Addresses(model.addresses)),
        Get(Digest, PathGlobs([layout.SETTINGS])),
    )
    fields = next(ArtifactFieldSet.create(t) for t in targets if ArtifactFieldSet.is_applicable(t))
    made, cases = await MultiGet(
        Get(Artifact, ArtifactRequest(fields.sources, fields.weights, fields.environment)),
        Get(
            SourceFiles,
            SourceFilesRequest(
                t[CasesSourcesField] for t in targets if t.has_field(CasesSourcesField)
            ),
        ),
    )
    name = PurePath(made.folder).name
    if made.problem:
        told = FileContent(f"{layout.FOR_TESTS}/{name}.error.txt", made.problem.encode())
        provided = await Get(Digest, CreateDigest([told]))
    else:
        entries = await Get(DigestEntries, Digest, made.digest)
        renamed = [
            replace(entry, path=f"{layout.FOR_TESTS}/{name}.tar.gz")
            for entry in entries
            if isinstance(entry, FileEntry) and entry.path == made.file
        ]
        provided = await Get(Digest, CreateDigest(renamed))
    return PytestPluginSetup(
        await Get(Digest, MergeDigests([provided, settings, cases.snapshot.digest]))
    )


@rule
async def infer_artifact(request: InferArtifactRequest, models: Models) -> InferredDependencies:
    model = models.of(request.field_set.address.spec_path)
    return InferredDependencies(model.addresses if model else ())


def rules() -> Iterable[Rule | UnionRule]:
    """These rules."""
    return [
        *collect_rules(),
        UnionRule(InferDependenciesRequest, InferArtifactRequest),
        UnionRule(PytestPluginSetupRequest, ArtifactForTestsRequest),
    ]
