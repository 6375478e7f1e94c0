"""What `package` writes: artifacts, and the parts that are named."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath

from pants.base.build_root import BuildRoot
from pants.core.goals.package import BuiltPackage, BuiltPackageArtifact, PackageFieldSet
from pants.core.util_rules.distdir import DistDir
from pants.engine.fs import EMPTY_DIGEST, AddPrefix, Digest, DigestEntries, RemovePrefix
from pants.engine.internals.session import RunId, SessionValues
from pants.engine.rules import Get, Rule, collect_rules, rule
from pants.engine.unions import UnionRule
from pants.option.options_bootstrapper import OptionsBootstrapper
from pants.util.frozendict import FrozenDict
from pants.util.ordered_set import FrozenOrderedSet

from slipway_pants import layout
from slipway_pants.requests import (
    Artifact,
    ArtifactFieldSet,
    ArtifactRequest,
    EnvironmentFieldSet,
    EnvironmentRequest,
    Part,
    WeightsFieldSet,
    WeightsRequest,
)


class NamedAddresses(FrozenOrderedSet[str]):
    """The addresses given literally on the command line."""


class WrittenArtifacts(FrozenDict[str, str]):
    """The complete artifacts of an earlier run: "<SHA-256> <bytes>", by file name."""


class NotPacked(Exception):
    """Some of the goal's artifacts could not be packed; all others are written."""


class RaisedLine(str):
    """A line of a goal's output that raises an error when the goal prints it.

    `package` has no other way to fail after writing everything else: an error in a rule would
    prevent every other artifact from being written.
    """

    def __str__(self) -> str:
        raise NotPacked(super().__str__())


@rule
async def named_addresses(session_values: SessionValues) -> NamedAddresses:
    return NamedAddresses(layout.addresses(session_values[OptionsBootstrapper].args))


@rule
async def package_weights(field_set: WeightsFieldSet, named: NamedAddresses) -> BuiltPackage:
    if field_set.address.spec not in named:
        return BuiltPackage(EMPTY_DIGEST, ())
    part = await Get(Part, WeightsRequest(field_set.sources))
    if part.problem:
        return not_built(field_set.address.spec, part.problem)
    folder = field_set.address.spec_path
    target = f"{PurePath(folder).name}_weights"
    bare = await Get(Digest, RemovePrefix(part.digest, folder))
    return BuiltPackage(await Get(Digest, AddPrefix(bare, target)), (BuiltPackageArtifact(target),))


@rule
async def package_environment(
    field_set: EnvironmentFieldSet, named: NamedAddresses
) -> BuiltPackage:
    if field_set.address.spec not in named:
        return BuiltPackage(EMPTY_DIGEST, ())
    part = await Get(Part, EnvironmentRequest(field_set.sources))
    if part.problem:
        return not_built(field_set.address.spec, part.problem)
    target = f"{PurePath(field_set.address.spec_path).name}_environment"
    bare = await Get(Digest, RemovePrefix(part.digest, layout.ENVIRONMENT))
    return BuiltPackage(await Get(Digest, AddPrefix(bare, target)), (BuiltPackageArtifact(target),))


@rule
async def find_written(
    _: RunId, session_values: SessionValues, root: BuildRoot, dist_dir: DistDir
) -> WrittenArtifacts:
    # Read again in every run, because each run has its own id. A test may request a package as a
    # file of its sandbox: then its bytes are needed.
    if "test" in session_values[OptionsBootstrapper].args:
        return WrittenArtifacts()
    return WrittenArtifacts(layout.packed_artifacts(root.pathlib_path / dist_dir.relpath))


@rule
async def package_artifact(field_set: ArtifactFieldSet, written: WrittenArtifacts) -> BuiltPackage:
    artifact = await Get(
        Artifact, ArtifactRequest(field_set.sources, field_set.weights, field_set.environment)
    )
    if artifact.problem:
        return not_built(artifact.folder, "The reason is above.")
    entries = await Get(DigestEntries, Digest, artifact.digest)
    # Pants would delete it and write it again, which takes seconds with a hundred models
    if layout.is_up_to_date(artifact.file, entries, written):
        line = f"{artifact.file} is up to date"
        return BuiltPackage(EMPTY_DIGEST, (BuiltPackageArtifact(None, extra_log_lines=(line,)),))
    return BuiltPackage(artifact.digest, (BuiltPackageArtifact(artifact.file),))


def not_built(what: str, problem: str) -> BuiltPackage:
    """Return a package without files; `package` fails with the problem after writing all others."""
    message = f"{what} was not built, all others are.\n{problem}"
    # `publish` prints only the first line, and continues
    lines = (f"{what} was not built.", RaisedLine(message))
    return BuiltPackage(EMPTY_DIGEST, (BuiltPackageArtifact(None, extra_log_lines=lines),))


def rules() -> Iterable[Rule | UnionRule]:
    """Return this module's rules."""
    return [
        *collect_rules(),
        *ArtifactFieldSet.rules(),
        UnionRule(PackageFieldSet, WeightsFieldSet),
        UnionRule(PackageFieldSet, EnvironmentFieldSet),
        UnionRule(PackageFieldSet, ArtifactFieldSet),
    ]
