"""Packages of the repository that models share: their files, and which models depend on them."""

from __future__ import annotations

from collections.abc import Iterable

from pants.core.util_rules.source_files import SourceFiles, SourceFilesRequest
from pants.engine.addresses import Addresses
from pants.engine.fs import Digest, DigestContents, PathGlobs
from pants.engine.rules import Get, Rule, collect_rules, rule
from pants.engine.target import AllTargets, InferDependenciesRequest, InferredDependencies, Targets
from pants.engine.unions import UnionRule

from slipway_pants import layout
from slipway_pants.requests import EnvironmentFieldSet, Shared, SharedPackages, SharedRequest
from slipway_pants.targets import SharedSourcesField


class InferSharedRequest(InferDependenciesRequest[EnvironmentFieldSet]):
    infer_from = EnvironmentFieldSet


@rule
async def find_packages(targets: AllTargets) -> SharedPackages:
    return SharedPackages(
        {
            target.address.spec_path: target.address
            for target in targets
            if target.has_field(SharedSourcesField)
        }
    )


@rule
async def find_shared(request: SharedRequest, packages: SharedPackages) -> Shared:
    path = f"{request.folder}/{layout.REQUIREMENTS}"
    requirements = await Get(DigestContents, Digest, await Get(Digest, PathGlobs([path])))
    folders = tuple(layout.shared(request.folder, requirements))
    for folder in folders:
        if folder not in packages:
            return Shared(folders, problem=layout.unowned(request.folder, folder))
    if not folders:
        return Shared(())
    addresses = tuple(packages[folder] for folder in folders)
    targets = await Get(Targets, Addresses(addresses))
    sources = await Get(
        SourceFiles, SourceFilesRequest(target[SharedSourcesField] for target in targets)
    )
    snapshot = sources.snapshot
    return Shared(folders, addresses, snapshot.digest, tuple(snapshot.files))


@rule
async def infer_shared(request: InferSharedRequest) -> InferredDependencies:
    shared = await Get(Shared, SharedRequest(request.field_set.address.spec_path))
    return InferredDependencies(shared.addresses)


def rules() -> Iterable[Rule | UnionRule]:
    """Return this module's rules."""
    return [*collect_rules(), UnionRule(InferDependenciesRequest, InferSharedRequest)]
