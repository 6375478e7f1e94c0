"""The steps of the library that the goals run, and their inputs.

A failed step is not an error of its rule, which would stop the goal for every other model. It is
passed on as `problem` to the goal, which reports it.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath

from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.target_types import PexLayout
from pants.backend.python.util_rules.interpreter_constraints import InterpreterConstraints
from pants.backend.python.util_rules.pex import Pex, PexRequest, VenvPex, VenvPexProcess
from pants.backend.python.util_rules.pex_requirements import EntireLockfile, Lockfile, Resolve
from pants.base.build_root import BuildRoot
from pants.core.goals.package import BuiltPackage, BuiltPackageArtifact, PackageFieldSet
from pants.core.goals.publish import PublishPackages, PublishProcesses
from pants.core.goals.run import RunRequest
from pants.core.util_rules.distdir import DistDir
from pants.engine.addresses import Address, UnparsedAddressInputs
from pants.engine.env_vars import EnvironmentVars, EnvironmentVarsRequest
from pants.engine.fs import (
    EMPTY_DIGEST,
    AddPrefix,
    Digest,
    DigestContents,
    DigestEntries,
    DigestSubset,
    MergeDigests,
    PathGlobs,
    RemovePrefix,
)
from pants.engine.internals.session import RunId, SessionValues
from pants.engine.process import InteractiveProcess, Process
from pants.engine.rules import Get, MultiGet, Rule, collect_rules, rule
from pants.engine.target import (
    AllTargets,
    HydratedSources,
    HydrateSourcesRequest,
    Targets,
)
from pants.engine.unions import UnionRule
from pants.option.options_bootstrapper import OptionsBootstrapper

from slipway_pants import layout
from slipway_pants.requests import (
    Artifact,
    ArtifactFieldSet,
    ArtifactRequest,
    EnvironmentFieldSet,
    EnvironmentRequest,
    InWorkspace,
    Library,
    Model,
    Models,
    NamedAddresses,
    Part,
    PublishArtifactFieldSet,
    PublishArtifactRequest,
    RaisedLine,
    Shared,
    SharedRequest,
    SlipwaySubsystem,
    Step,
    WeightsFieldSet,
    WeightsRequest,
    WrittenArtifacts,
)
from slipway_pants.targets import (
    ArtifactSourcesField,
    CasesSourcesField,
    EnvironmentSourcesField,
    WeightsSourcesField,
)


@rule(desc="Prepare the library that builds models")
async def prepare_library(slipway: SlipwaySubsystem, python_setup: PythonSetup) -> Library:
    lockfile = await Get(Lockfile, Resolve(slipway.resolve, use_entire_lockfile=True))
    constraints = InterpreterConstraints(
        python_setup.resolves_to_interpreter_constraints.get(
            slipway.resolve, python_setup.interpreter_constraints
        )
    )
    # The same request as tests make for this resolve, so that one process serves both.
    packages = await Get(
        Pex,
        PexRequest(
            output_filename=f"{slipway.resolve}_lockfile.pex",
            internal_only=True,
            requirements=EntireLockfile(lockfile),
            interpreter_constraints=constraints,
            layout=PexLayout.PACKED,
            description=f"Installing {lockfile.url} for the resolve `{slipway.resolve}`",
        ),
    )
    python, sources = await MultiGet(
        Get(
            VenvPex,
            PexRequest(
                output_filename="slipway.pex",
                internal_only=True,
                interpreter_constraints=constraints,
                pex_path=[packages],
            ),
        ),
        Get(Digest, PathGlobs([f"{slipway.source_root}/slipway/**", "!**/BUILD"])),
    )
    return Library(python, sources, slipway.source_root)


@rule
async def pull_weights(request: WeightsRequest) -> Part:
    pointers = await Get(HydratedSources, HydrateSourcesRequest(request.sources))
    named = layout.weights(pointers.snapshot.files)
    # The step compares weights that lie in the checkout with the pointer. They are part of its
    # inputs so that it runs again when they change.
    local = await MultiGet(
        Get(Digest, PathGlobs([weights, f"{weights}/**"])) for weights in named.values()
    )
    inputs = await MultiGet(
        Get(Digest, MergeDigests([pointers.snapshot.digest, digest])) for digest in local
    )
    parts = await MultiGet(
        Get(
            Part,
            Step(
                ("weights", "pull", pointer, "--output", f"{layout.PULLED}/{weights}"),
                digest,
                description=f"Weights {weights}",
                # a file or a folder, inside of what is a folder in any case: a remote cache
                # refuses a file that was declared as a folder
                output_directories=(layout.PULLED,),
            ),
        )
        for (pointer, weights), digest in zip(named.items(), inputs)
    )
    problems = [part.problem for part in parts if part.problem]
    if problems:
        return Part(problem="\n".join(problems))
    if not parts:
        return Part()
    pulled = await Get(Digest, MergeDigests(part.digest for part in parts))
    return Part(await Get(Digest, RemovePrefix(pulled, layout.PULLED)))


@rule
async def build_environment(request: EnvironmentRequest) -> Part:
    folder = request.sources.address.spec_path
    sources, settings, shared = await MultiGet(
        Get(HydratedSources, HydrateSourcesRequest(request.sources)),
        Get(Digest, PathGlobs([layout.SETTINGS])),
        Get(Shared, SharedRequest(folder)),
    )
    if shared.problem:
        return Part(problem=shared.problem)
    missing = layout.missing_lock(folder, sources.snapshot.files)
    if missing:
        return Part(problem=missing)
    if not sources.snapshot.files:
        return Part()
    # Under a name that does not depend on the model: models with equal locks share one process.
    bare = await Get(Digest, RemovePrefix(sources.snapshot.digest, folder))
    moved = await Get(Digest, AddPrefix(bare, layout.LOCKED))
    built = await Get(
        Part,
        Step(
            ("environment", "build", layout.LOCK, "--output", layout.ENVIRONMENT),
            await Get(Digest, MergeDigests([moved, settings, shared.digest])),
            description="Execution environment",
            output_directories=(layout.ENVIRONMENT,),
        ),
    )
    if built.problem:
        return Part(problem=built.problem.replace(f"{layout.LOCKED}/", f"{folder}/"))
    return built


@rule(desc="Artifact")
async def pack_artifact(request: ArtifactRequest) -> Artifact:
    sources, weights, environments, settings = await MultiGet(
        Get(HydratedSources, HydrateSourcesRequest(request.sources)),
        Get(Targets, UnparsedAddressInputs, request.weights.to_unparsed_address_inputs()),
        Get(Targets, UnparsedAddressInputs, request.environment.to_unparsed_address_inputs()),
        Get(Digest, PathGlobs([layout.SETTINGS])),
    )
    folder = request.sources.address.spec_path
    pointers = await MultiGet(
        Get(HydratedSources, HydrateSourcesRequest(target[WeightsSourcesField]))
        for target in weights
    )
    parts = await MultiGet(
        Get(Part, WeightsRequest(target[WeightsSourcesField])) for target in weights
    )
    built = await MultiGet(
        Get(Part, EnvironmentRequest(target[EnvironmentSourcesField])) for target in environments
    )
    pulled = [file for sources in pointers for file in sources.snapshot.files]
    packed = layout.packed(folder, sources.snapshot.files, pulled)
    packed_sources = await Get(Digest, DigestSubset(sources.snapshot.digest, PathGlobs(packed)))
    only_version = DigestSubset(packed_sources, PathGlobs([layout.version_file(folder)]))
    version = await Get(DigestContents, Digest, await Get(Digest, DigestSubset, only_version))
    name = layout.artifact(folder, version)
    problems = [part.problem for part in (*parts, *built) if part.problem]
    if problems:
        return Artifact(folder, name, problem="\n".join(problems))
    inputs = await Get(
        Digest,
        MergeDigests(
            [
                packed_sources,
                settings,
                *(pointer.snapshot.digest for pointer in pointers),
                *(part.digest for part in (*parts, *built)),
            ]
        ),
    )
    # a model without Python models has no lock, and therefore no environment
    has_environment = any(part.digest != EMPTY_DIGEST for part in built)
    environment = ("--environment", layout.ENVIRONMENT) if has_environment else ()
    artifact = await Get(
        Part,
        Step(
            ("pack", folder, *environment, "--output", name),
            inputs,
            description=f"Pack {name}",
            output_files=(name, f"{name}{layout.CHECKSUM}"),
        ),
    )
    return Artifact(folder, name, artifact.digest, artifact.problem)


@rule
async def find_models(targets: AllTargets) -> Models:
    found: dict[str, list[Address]] = {}
    for target in targets:
        if target.has_field(ArtifactSourcesField) or target.has_field(CasesSourcesField):
            found.setdefault(target.address.spec_path, []).append(target.address)
    return Models({folder: Model(tuple(addresses)) for folder, addresses in found.items()})


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


@rule
async def publish_artifact(request: PublishArtifactRequest) -> PublishProcesses:
    fields = request.field_set
    artifact = await Get(
        Artifact, ArtifactRequest(fields.sources, fields.weights, fields.environment)
    )
    if artifact.problem:
        # The goal runs every process, and fails if one of them fails.
        arguments = layout.fail_with(artifact.problem)
    else:
        arguments = (
            "-m",
            "slipway",
            *layout.with_artifact("publish", artifact.folder, artifact.file),
        )
    in_chroot, environment = await MultiGet(
        Get(RunRequest, InWorkspace(arguments, artifact.digest)),
        Get(EnvironmentVars, EnvironmentVarsRequest(layout.PUBLISH_VARIABLES)),
    )
    process = InteractiveProcess(
        in_chroot.args,
        env={**environment, **in_chroot.extra_env},
        input_digest=in_chroot.digest,
        append_only_caches=in_chroot.append_only_caches,
        run_in_workspace=True,
    )
    return PublishProcesses([PublishPackages((artifact.file,), process, "the release store")])


@rule
async def run_artifact(field_set: ArtifactFieldSet) -> RunRequest:
    artifact = await Get(
        Artifact, ArtifactRequest(field_set.sources, field_set.weights, field_set.environment)
    )
    if artifact.problem:
        arguments = layout.fail_with(artifact.problem)
    else:
        arguments = ("-m", "slipway", *layout.with_artifact("run", artifact.folder, artifact.file))
    return await Get(RunRequest, InWorkspace(arguments, artifact.digest))


@rule
async def in_workspace(request: InWorkspace, library: Library) -> RunRequest:
    """Run the library's Python in the checkout, with `inputs` and its sources in `{chroot}`."""
    inputs = await Get(Digest, MergeDigests([library.sources, request.inputs]))
    process = await Get(
        Process,
        VenvPexProcess(
            library.python,
            argv=request.arguments,
            description="the library in the checkout",
            input_digest=inputs,
        ),
    )
    return RunRequest(
        digest=process.input_digest,
        args=(f"{{chroot}}/{process.argv[0]}", *process.argv[1:]),
        extra_env={**process.env, "PEX_EXTRA_SYS_PATH": f"{{chroot}}/{library.source_root}"},
        append_only_caches=process.append_only_caches,
    )


def rules() -> Iterable[Rule | UnionRule]:
    """Return this module's rules."""
    return [
        *collect_rules(),
        *ArtifactFieldSet.rules(),
        *PublishArtifactFieldSet.rules(),
        UnionRule(PackageFieldSet, WeightsFieldSet),
        UnionRule(PackageFieldSet, EnvironmentFieldSet),
        UnionRule(PackageFieldSet, ArtifactFieldSet),
    ]
