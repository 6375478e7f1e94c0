"""`lint` runs `ruff check` on Python files.

Pants 2.17's own backend for ruff calls it without the subcommand `check`, which ruff requires since
0.5.0. Its options (`[ruff]`) and its field set are used here; its rules are not registered.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pants.backend.python.lint.ruff.subsystem import Ruff, RuffFieldSet
from pants.backend.python.util_rules.pex import PexRequest, VenvPex, VenvPexProcess
from pants.core.goals.lint import LintResult, LintTargetsRequest
from pants.core.util_rules.config_files import ConfigFiles, ConfigFilesRequest
from pants.core.util_rules.partitions import PartitionerType
from pants.core.util_rules.source_files import SourceFiles, SourceFilesRequest
from pants.engine.fs import Digest, MergeDigests
from pants.engine.process import FallibleProcessResult
from pants.engine.rules import Get, MultiGet, Rule, collect_rules, rule
from pants.engine.unions import UnionRule


class RuffCheckRequest(LintTargetsRequest):
    field_set_type = RuffFieldSet
    tool_subsystem = Ruff  # type: ignore[assignment]  # an option reads as its value
    partitioner_type = PartitionerType.DEFAULT_SINGLE_PARTITION


@rule(desc="Lint with ruff")
async def check_with_ruff(
    request: RuffCheckRequest.Batch[RuffFieldSet, Any], ruff: Ruff
) -> LintResult:
    program, config, sources = await MultiGet(
        Get(VenvPex, PexRequest, ruff.to_pex_request()),
        Get(ConfigFiles, ConfigFilesRequest, ruff.config_request(())),
        Get(SourceFiles, SourceFilesRequest(field_set.source for field_set in request.elements)),
    )
    files = sources.snapshot.files
    result = await Get(
        FallibleProcessResult,
        VenvPexProcess(
            program,
            argv=(
                "check",
                # the sandbox is deleted: a cache in it is of no use
                "--no-cache",
                # a file that the configuration excludes stays excluded, although it is named here
                "--force-exclude",
                *((f"--config={ruff.config}",) if ruff.config else ()),
                *ruff.args,
                *files,
            ),
            input_digest=await Get(
                Digest, MergeDigests([config.snapshot.digest, sources.snapshot.digest])
            ),
            description=f"Run ruff on {len(files)} files",
        ),
    )
    return LintResult.create(request, result, strip_chroot_path=True)


def rules() -> Iterable[Rule | UnionRule]:
    """Return this module's rules."""
    return [*collect_rules(), *RuffCheckRequest.rules()]
