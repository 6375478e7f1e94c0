"""Type checks of a model's Python code, one Triton model directory after the other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath

from pants.backend.python.target_types import PythonSourceField
from pants.backend.python.typecheck.mypy.subsystem import MyPy
from pants.backend.python.util_rules.pex import PexRequest, VenvPex, VenvPexProcess
from pants.core.goals.check import CheckRequest, CheckResult, CheckResults
from pants.core.util_rules.config_files import ConfigFiles, ConfigFilesRequest
from pants.core.util_rules.source_files import SourceFiles, SourceFilesRequest
from pants.engine.fs import Digest, MergeDigests, PathGlobs
from pants.engine.process import FallibleProcessResult
from pants.engine.rules import Get, MultiGet, Rule, collect_rules, rule
from pants.engine.target import FieldSet, Target
from pants.engine.unions import UnionRule

from slipway_pants import layout
from slipway_pants.requests import Library, Shared, SharedRequest
from slipway_pants.targets import CheckedByDirectoryField


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


@rule
async def check_code(request: CheckCodeRequest) -> CheckResults:
    directories: dict[str, list[PythonSourceField]] = {}
    for field_set in request.field_sets:
        directory = str(PurePath(field_set.source.file_path).parent)
        directories.setdefault(directory, []).append(field_set.source)
    results = await MultiGet(
        Get(CheckResult, CheckDirectory(directory, tuple(sources)))
        for directory, sources in sorted(directories.items())
    )
    return CheckResults(results, checker_name=request.tool_name)


@rule
async def check_directory(request: CheckDirectory, library: Library, mypy: MyPy) -> CheckResult:
    # `models/<name>`, whose requirements may name packages of the repository
    model = "/".join(PurePath(request.directory).parts[:2])
    program, config, sources, siblings, shared = await MultiGet(
        Get(
            VenvPex,
            PexRequest,
            mypy.to_pex_request(interpreter_constraints=mypy.interpreter_constraints),
        ),
        Get(ConfigFiles, ConfigFilesRequest, mypy.config_request),
        Get(SourceFiles, SourceFilesRequest(request.sources)),
        # a file imports modules next to it, whether these are checked (`--changed-since`) or not
        Get(Digest, PathGlobs([f"{request.directory}/**/*.py", f"{request.directory}/**/*.pyi"])),
        Get(Shared, SharedRequest(model)),
    )
    roots = [root for path in shared.folders for root in layout.import_roots(path, shared.files)]
    inputs = await Get(
        Digest,
        MergeDigests(
            [
                library.python.digest,
                config.snapshot.digest,
                sources.snapshot.digest,
                siblings,
                shared.digest,
            ]
        ),
    )
    result = await Get(
        FallibleProcessResult,
        VenvPexProcess(
            program,
            argv=(
                *mypy.args,
                f"--python-executable={library.python.python.argv0}",
                f"--cache-dir={layout.MYPY_CACHE}",
                *sources.snapshot.files,
            ),
            description=f"Types of {request.directory}",
            input_digest=inputs,
            extra_env={"MYPYPATH": ":".join([request.directory, *roots])},
            append_only_caches={"slipway_mypy": layout.MYPY_CACHE},
        ),
    )
    return CheckResult.from_fallible_process_result(result, partition_description=request.directory)


def rules() -> Iterable[Rule | UnionRule]:
    """Return this module's rules."""
    return [*collect_rules(), UnionRule(CheckRequest, CheckCodeRequest)]
