"""The requests and results that the rules exchange with each other and Pants, without rules."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import ClassVar

from pants.backend.python.util_rules.pex import VenvPex
from pants.core.goals.package import PackageFieldSet
from pants.core.goals.run import RunFieldSet, RunInSandboxBehavior
from pants.engine.addresses import Address
from pants.engine.engine_aware import EngineAwareReturnType
from pants.engine.fs import EMPTY_DIGEST, Digest
from pants.option.option_types import StrOption
from pants.option.subsystem import Subsystem
from pants.util.frozendict import FrozenDict
from pants.util.logging import LogLevel

from slipway_pants.targets import (
    ArtifactEnvironmentField,
    ArtifactSourcesField,
    ArtifactWeightsField,
    EnvironmentSourcesField,
    WeightsSourcesField,
)


class SlipwaySubsystem(Subsystem):
    options_scope = "slipway"
    help = "The library that builds, tests and publishes Triton models."

    source_root = StrOption(
        default="build-support", help="The folder that holds the package `slipway`."
    )
    resolve = StrOption(default="slipway", help="The resolve that the library runs with.")


@dataclass(frozen=True)
class Library:
    """The library's environment, and its sources below `source_root`."""

    python: VenvPex
    sources: Digest
    source_root: str


@dataclass(frozen=True)
class Step:
    """One command of the library: `slipway <arguments>`, on `inputs`."""

    arguments: tuple[str, ...]
    inputs: Digest
    description: str
    output_files: tuple[str, ...] = ()
    output_directories: tuple[str, ...] = ()


@dataclass(frozen=True)
class Part:
    """A step's output; if `problem` is set, the step failed and there is none."""

    digest: Digest = EMPTY_DIGEST
    problem: str | None = None


@dataclass(frozen=True)
class InWorkspace:
    """`python <arguments>` in the checkout, with the library; `{chroot}` holds `inputs`."""

    arguments: tuple[str, ...]
    inputs: Digest


@dataclass(frozen=True)
class WeightsRequest:
    """Request the weights of these pointers, each next to its pointer."""

    sources: WeightsSourcesField


@dataclass(frozen=True)
class EnvironmentRequest:
    """Request the environment of this lock, in the folder `ENVIRONMENT`."""

    sources: EnvironmentSourcesField


@dataclass(frozen=True)
class ArtifactRequest:
    """Request the artifact of these parts."""

    sources: ArtifactSourcesField
    weights: ArtifactWeightsField
    environment: ArtifactEnvironmentField


@dataclass(frozen=True)
class Artifact(EngineAwareReturnType):
    """`file` and its checksum in `digest`; or the `problem` why there is none.

    `folder` is the model's, such as `models/x`.
    """

    folder: str
    file: str
    digest: Digest = EMPTY_DIGEST
    problem: str | None = None

    def level(self) -> LogLevel | None:
        return LogLevel.ERROR if self.problem else None

    def message(self) -> str | None:
        return f"{self.folder} was not built.\n{self.problem}" if self.problem else None

    def cacheable(self) -> bool:
        # a problem is reported in every run, even if the engine has it in memory
        return not self.problem


@dataclass(frozen=True)
class Model:
    """The addresses of a model's artifact and golden cases, which its tests need."""

    addresses: tuple[Address, ...]


class Models(FrozenDict[str, Model]):
    """The repository's models, by folder."""

    def containing(self, folder: str) -> Model | None:
        """Return the model whose folder is or contains `folder`."""
        for ancestor in (PurePath(folder), *PurePath(folder).parents):
            if str(ancestor) in self:
                return self[str(ancestor)]
        return None


class SharedPackages(FrozenDict[str, Address]):
    """The packages of the repository that models may share, by folder."""


@dataclass(frozen=True)
class SharedRequest:
    """Request the packages that the requirements in `folder` name by path."""

    folder: str


@dataclass(frozen=True)
class Shared:
    """Named packages: their folders, and their files in `digest`; or the `problem` with one."""

    folders: tuple[str, ...]
    addresses: tuple[Address, ...] = ()
    digest: Digest = EMPTY_DIGEST
    files: tuple[str, ...] = ()
    problem: str | None = None


@dataclass(frozen=True)
class WeightsFieldSet(PackageFieldSet):
    required_fields = (WeightsSourcesField,)

    sources: WeightsSourcesField


@dataclass(frozen=True)
class EnvironmentFieldSet(PackageFieldSet):
    required_fields = (EnvironmentSourcesField,)

    sources: EnvironmentSourcesField


@dataclass(frozen=True)
class ArtifactFieldSet(PackageFieldSet, RunFieldSet):
    required_fields = (ArtifactSourcesField,)
    run_in_sandbox_behavior: ClassVar[RunInSandboxBehavior] = RunInSandboxBehavior.NOT_SUPPORTED

    sources: ArtifactSourcesField
    weights: ArtifactWeightsField
    environment: ArtifactEnvironmentField
