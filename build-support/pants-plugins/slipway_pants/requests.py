"""The requests and results that the rules exchange with each other and Pants, without rules."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import ClassVar

from pants.backend.python.goals.pytest_runner import PytestPluginSetupRequest
from pants.backend.python.target_types import PythonSourceField, PythonTestSourceField
from pants.backend.python.util_rules.pex import VenvPex
from pants.core.goals.check import CheckRequest
from pants.core.goals.lint import LintTargetsRequest
from pants.core.goals.package import PackageFieldSet
from pants.core.goals.publish import PublishFieldSet, PublishRequest
from pants.core.goals.run import RunFieldSet, RunInSandboxBehavior
from pants.core.goals.tailor import PutativeTargetsRequest
from pants.engine.addresses import Address
from pants.engine.collection import Collection
from pants.engine.engine_aware import EngineAwareReturnType
from pants.engine.fs import EMPTY_DIGEST, Digest
from pants.engine.target import FieldSet, InferDependenciesRequest, Target
from pants.option.option_types import ArgsListOption, SkipOption, StrOption
from pants.option.subsystem import Subsystem
from pants.util.frozendict import FrozenDict
from pants.util.logging import LogLevel
from pants.util.ordered_set import FrozenOrderedSet

from slipway_pants import layout
from slipway_pants.targets import (
    ArtifactEnvironmentField,
    ArtifactSourcesField,
    ArtifactWeightsField,
    CheckedByDirectoryField,
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


class CheckSubsystem(Subsystem):
    options_scope = "slipway-check"
    name = "slipway check"
    help = "The check of models for mistakes, without a server."

    skip = SkipOption("lint")
    args = ArgsListOption(example="--strict")
    report = StrOption(
        default=None,
        help="Write dist/lint/slipway-check/<report>.json as well: gitlab, sarif or json.",
    )


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


class NamedAddresses(FrozenOrderedSet[str]):
    """The addresses given literally on the command line."""


class WrittenArtifacts(FrozenDict[str, str]):
    """The complete artifacts of an earlier run: "<SHA-256> <bytes>", by file name."""


@dataclass(frozen=True)
class WeightsFieldSet(PackageFieldSet):
    required_fields = (WeightsSourcesField,)

    sources: WeightsSourcesField


@dataclass(frozen=True)
class EnvironmentFieldSet(PackageFieldSet):
    required_fields = (EnvironmentSourcesField,)

    sources: EnvironmentSourcesField


class InferSharedRequest(InferDependenciesRequest[EnvironmentFieldSet]):
    infer_from = EnvironmentFieldSet


@dataclass(frozen=True)
class ArtifactFieldSet(PackageFieldSet, RunFieldSet):
    required_fields = (ArtifactSourcesField,)
    run_in_sandbox_behavior: ClassVar[RunInSandboxBehavior] = RunInSandboxBehavior.NOT_SUPPORTED

    sources: ArtifactSourcesField
    weights: ArtifactWeightsField
    environment: ArtifactEnvironmentField


class PublishArtifactRequest(PublishRequest["PublishArtifactFieldSet"]):
    pass


@dataclass(frozen=True)
class PublishArtifactFieldSet(PublishFieldSet[PublishArtifactRequest]):
    publish_request_type = PublishArtifactRequest
    required_fields = (ArtifactSourcesField,)

    sources: ArtifactSourcesField
    weights: ArtifactWeightsField
    environment: ArtifactEnvironmentField


@dataclass(frozen=True)
class TestFieldSet(FieldSet):
    required_fields = (PythonTestSourceField,)

    source: PythonTestSourceField


class InferArtifactRequest(InferDependenciesRequest[TestFieldSet]):
    infer_from = TestFieldSet


@dataclass(frozen=True)
class CodeFieldSet(FieldSet):
    required_fields = (PythonSourceField, CheckedByDirectoryField)

    source: PythonSourceField

    @classmethod
    def opt_out(cls, tgt: Target) -> bool:
        # training uses libraries that are in no resolve of the repository
        return layout.TRAINING in PurePath(tgt[PythonSourceField].file_path).parts


class CheckCodeRequest(CheckRequest[CodeFieldSet]):
    field_set_type = CodeFieldSet
    tool_name = "mypy-models"


@dataclass(frozen=True)
class CheckDirectory:
    """The Python files of one directory, which import each other as top-level modules."""

    directory: str
    sources: tuple[PythonSourceField, ...]


@dataclass(frozen=True)
class CheckModelFieldSet(FieldSet):
    """Any part of a model: a change of its pointers or its lock changes the model as well."""

    required_fields = ()

    @classmethod
    def opt_out(cls, tgt: Target) -> bool:
        parts = (ArtifactSourcesField, WeightsSourcesField, EnvironmentSourcesField)
        return not any(tgt.has_field(part) for part in parts)


class ModelFolders(Collection[str]):
    """The model folders checked by one process."""


class CheckModelsRequest(LintTargetsRequest):
    field_set_type = CheckModelFieldSet
    tool_subsystem = CheckSubsystem  # type: ignore[assignment]  # an option reads as its value


@dataclass(frozen=True)
class PutativeModelsRequest(PutativeTargetsRequest):
    pass


class ArtifactForTestsRequest(PytestPluginSetupRequest):
    @classmethod
    def is_applicable(cls, target: Target) -> bool:
        return target.has_field(PythonTestSourceField)


class NotPacked(Exception):
    """Some of the goal's artifacts could not be packed; all others are written."""


class RaisedLine(str):
    """A line of a goal's output that raises an error when the goal prints it.

    `package` has no other way to fail after writing everything else: an error in a rule would
    prevent every other artifact from being written.
    """

    def __str__(self) -> str:
        raise NotPacked(super().__str__())
