"""Packages of the repository that models share: their files, and which models depend on them."""

from __future__ import annotations

from collections.abc import Iterable

from pants.base.specs import DirLiteralSpec, RawSpecsWithoutFileOwners
from pants.core.util_rules.source_files import SourceFiles, SourceFilesRequest
from pants.engine.addresses import Addresses
from pants.engine.fs import Digest, DigestContents, GlobMatchErrorBehavior, PathGlobs
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
async def find_shared(request: SharedRequest) -> Shared:
    # Only the targets in the named folders: all targets of the repository would have to be found
    # again after each edit, which takes seconds with hundreds of models.
    path = f"{request.folder}/{layout.REQUIREMENTS}"
    requirements = await Get(DigestContents, Digest, await Get(Digest, PathGlobs([path])))
    folders = tuple(layout.shared(request.folder, requirements))
    if not folders:
        return Shared(())
    named = RawSpecsWithoutFileOwners(
        dir_literals=tuple(map(DirLiteralSpec, folders)),
        description_of_origin=path,
        unmatched_glob_behavior=GlobMatchErrorBehavior.ignore,
    )
    addresses = await Get(Addresses, RawSpecsWithoutFileOwners, named)
    packages = {
        target.address.spec_path: target
        for target in await Get(Targets, Addresses, addresses)
        if target.has_field(SharedSourcesField)
    }
    for folder in folders:
        if folder not in packages:
            return Shared(folders, problem=layout.unowned(request.folder, folder))
    owned = [packages[folder] for folder in folders]
    sources = await Get(
        SourceFiles, SourceFilesRequest(target[SharedSourcesField] for target in owned)
    )
    return Shared(
        folders,
        tuple(target.address for target in owned),
        sources.snapshot.digest,
        tuple(sources.snapshot.files),
    )


@rule
async def infer_shared(request: InferSharedRequest) -> InferredDependencies:
    shared = await Get(Shared, SharedRequest(request.field_set.address.spec_path))
    return InferredDependencies(shared.addresses)


def rules() -> Iterable[Rule | UnionRule]:
    """Return this module's rules."""
    return [*collect_rules(), UnionRule(InferDependenciesRequest, InferSharedRequest)]
