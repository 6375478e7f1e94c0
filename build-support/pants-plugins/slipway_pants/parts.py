"""A model's parts and its artifact, each made by a step of the library.

A failed step is not an error of its rule, which would stop the goal for every other model. It is
passed on as `problem` to the goal, which reports it.
"""

from __future__ import annotations

from collections.abc import Iterable

from pants.engine.addresses import Address, UnparsedAddressInputs
from pants.engine.fs import (
    EMPTY_DIGEST,
    AddPrefix,
    Digest,
    DigestContents,
    DigestSubset,
    MergeDigests,
    PathGlobs,
    RemovePrefix,
)
from pants.engine.rules import Get, MultiGet, Rule, collect_rules, rule
from pants.engine.target import AllTargets, HydratedSources, HydrateSourcesRequest, Targets
from pants.engine.unions import UnionRule

from slipway_pants import layout
from slipway_pants.requests import (
    Artifact,
    ArtifactRequest,
    EnvironmentRequest,
    Model,
    Models,
    Part,
    Shared,
    SharedRequest,
    Step,
    WeightsRequest,
)
from slipway_pants.targets import (
    ArtifactSourcesField,
    CasesSourcesField,
    EnvironmentSourcesField,
    WeightsSourcesField,
)


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


def rules() -> Iterable[Rule | UnionRule]:
    """Return this module's rules."""
    return collect_rules()
