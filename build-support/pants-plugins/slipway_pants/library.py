"""The library that the goals run: its environment, its sources, and its Python in the checkout."""

from __future__ import annotations

from collections.abc import Iterable

from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.target_types import PexLayout
from pants.backend.python.util_rules.interpreter_constraints import InterpreterConstraints
from pants.backend.python.util_rules.pex import Pex, PexRequest, VenvPex, VenvPexProcess
from pants.backend.python.util_rules.pex_requirements import EntireLockfile, Lockfile, Resolve
from pants.core.goals.run import RunRequest
from pants.engine.fs import Digest, MergeDigests, PathGlobs
from pants.engine.process import Process
from pants.engine.rules import Get, MultiGet, Rule, collect_rules, rule
from pants.engine.unions import UnionRule

from slipway_pants.requests import InWorkspace, Library, SlipwaySubsystem


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
    return collect_rules()
