"""`lint` checks all models in one process; `tailor` writes their BUILD files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from pants.core.goals.lint import LintResult, LintTargetsRequest
from pants.core.goals.tailor import (
    AllOwnedSources,
    PutativeTarget,
    PutativeTargets,
    PutativeTargetsRequest,
)
from pants.core.util_rules.partitions import Partitions
from pants.engine.collection import Collection
from pants.engine.fs import Digest, PathGlobs, Paths
from pants.engine.process import FallibleProcessResult, Process
from pants.engine.rules import Get, MultiGet, Rule, collect_rules, rule
from pants.engine.target import FieldSet, Target
from pants.engine.unions import UnionRule
from pants.option.option_types import ArgsListOption, SkipOption, StrOption
from pants.option.subsystem import Subsystem

from slipway_pants import layout
from slipway_pants.requests import SharedPackages, Step
from slipway_pants.targets import ArtifactSourcesField, EnvironmentSourcesField, WeightsSourcesField


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


@rule
async def partition_models(
    request: CheckModelsRequest.PartitionRequest[CheckModelFieldSet], check: CheckSubsystem
) -> Partitions[ModelFolders, Any]:
    # One element: of several, Pants would make several processes when they are many.
    folders = sorted({field_set.address.spec_path for field_set in request.field_sets})
    if check.skip or not folders:
        return Partitions()
    return Partitions.single_partition([ModelFolders(folders)])


@rule
async def check_models(
    request: CheckModelsRequest.Batch[ModelFolders, Any], check: CheckSubsystem
) -> LintResult:
    folders = [folder for element in request.elements for folder in element]
    report = f"{check.report}.json" if check.report else None
    into = ("--format", check.report, "--output", report) if check.report and report else ()
    process = await Get(
        Process,
        Step(
            ("check", *folders, *into, *check.args),
            await Get(Digest, PathGlobs(layout.checked(folders))),
            description="Check models",
            output_files=(report,) if report else (),
        ),
    )
    result = await Get(FallibleProcessResult, Process, process)
    return LintResult.create(request, result, report=result.output_digest)


@rule
async def putative_models(
    request: PutativeModelsRequest, owned: AllOwnedSources, shared: SharedPackages
) -> PutativeTargets:
    marks, tests, projects = await MultiGet(
        Get(Paths, PathGlobs, request.path_globs(layout.VERSION, layout.CONFIG)),
        Get(Paths, PathGlobs, request.path_globs(layout.TEST)),
        Get(Paths, PathGlobs, request.path_globs(layout.PYPROJECT)),
    )
    models = layout.models_of(set(marks.files) - set(owned))
    tested = layout.models_of(set(tests.files) - set(owned))
    packages = layout.packages_of(projects.files) - set(shared)
    return PutativeTargets(
        [
            *(
                putative(folder, model=folder in models, tests=folder in tested)
                for folder in models | tested
            ),
            *(
                PutativeTarget(folder, PurePath(folder).name, "shared_package", (), ())
                for folder in packages
            ),
        ]
    )


def putative(folder: str, *, model: bool, tests: bool) -> PutativeTarget:
    # Pants sorts a file's targets, and the model has to come first: where both are missing, its
    # line is written as a comment above the tests would be.
    above = ("triton_model()", "") if model and tests else ()
    alias = "python_tests" if tests else "triton_model"
    return PutativeTarget(folder, PurePath(folder).name, alias, (), (), comments=above)


def rules() -> Iterable[Rule | UnionRule]:
    """These rules."""
    return [
        *collect_rules(),
        *CheckModelsRequest.rules(),
        UnionRule(PutativeTargetsRequest, PutativeModelsRequest),
    ]
