"""`publish` and `run`: the library in the checkout, with a model's artifact."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pants.core.goals.publish import (
    PublishFieldSet,
    PublishPackages,
    PublishProcesses,
    PublishRequest,
)
from pants.core.goals.run import RunRequest
from pants.engine.env_vars import EnvironmentVars, EnvironmentVarsRequest
from pants.engine.process import InteractiveProcess
from pants.engine.rules import Get, MultiGet, Rule, collect_rules, rule
from pants.engine.unions import UnionRule

from slipway_pants import layout
from slipway_pants.requests import Artifact, ArtifactFieldSet, ArtifactRequest, InWorkspace
from slipway_pants.targets import (
    ArtifactEnvironmentField,
    ArtifactSourcesField,
    ArtifactWeightsField,
)


class PublishArtifactRequest(PublishRequest["PublishArtifactFieldSet"]):
    pass


@dataclass(frozen=True)
class PublishArtifactFieldSet(PublishFieldSet[PublishArtifactRequest]):
    publish_request_type = PublishArtifactRequest
    required_fields = (ArtifactSourcesField,)

    sources: ArtifactSourcesField
    weights: ArtifactWeightsField
    environment: ArtifactEnvironmentField


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


def rules() -> Iterable[Rule | UnionRule]:
    """Return this module's rules."""
    return [*collect_rules(), *PublishArtifactFieldSet.rules()]
