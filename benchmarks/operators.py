"""Run ``slipway new`` on the operator test models that ship inside the ``onnx`` package.

Each goes the whole way of a model: folder, check, artifact, a real server, and an answer that is
compared with the test's own, within the tolerance of onnx's runner.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper
from rich.markup import escape

from benchmarks.context import ROOT, BenchmarkContext
from benchmarks.result import Report, Row
from slipway import build, check, settings
from slipway.archive.reader import open_tar
from slipway.errors import SlipwayError
from slipway.scaffold import from_onnx, naming
from slipway.scaffold.from_onnx import Derived
from slipway.server import cpu_fallback, triton
from slipway.server.client import ServerGoneError
from slipway.server.server import Server
from slipway.settings import Settings
from slipway.testing import golden
from slipway.testing.model import Model
from slipway.triton.environment_path import ENVIRONMENT

STAGES = ("made", "checked", "packed", "loaded", "answered")
# a model's processes remain until the server ends: unloading waits for them, stopping does not
LOADS_A_SERVER = 20
QUICK = 40
# onnx/backend/test/runner, with tolerance for a different order of additions near zero
RTOL, ATOL = 1e-3, 1e-5


@dataclass
class Case:
    """A test model; ``reached`` are the stages it passed, ``reason`` is why it passed no more."""

    folder: Path
    name: str
    reached: list[str] = field(default_factory=list)
    reason: str = ""
    carried: bool = True
    again: bool = False


def measure(context: BenchmarkContext) -> list[Report]:
    """Run every test model, or a number of them evenly spread."""
    limit = context.limit or (QUICK if context.quick else None)
    done = list(sweep(cases(limit), context.work / "operators"))
    carried = [case for case in done if case.carried]
    rows = [
        Row("test models", f"{len(done)}"),
        Row("of types that Triton carries", f"{len(carried)}"),
    ]
    for stage in STAGES:
        reached = sum(stage in case.reached for case in carried)
        rows.append(Row(stage, f"{reached}", ratio=f"{reached / max(1, len(carried)):.1%}"))
    rows += [Row(escape(f"{why}: {', '.join(names)}"), "") for why, names in _left(carried)]
    return [Report("slipway new from onnx's operator test models", "", rows)]


def _left(carried: Sequence[Case]) -> list[tuple[str, list[str]]]:
    """Return why cases failed, and which; the most frequent reason first."""
    names: dict[str, list[str]] = {}
    for case in carried:
        if STAGES[-1] not in case.reached:
            names.setdefault(case.reason, []).append(case.folder.name)
    return sorted(names.items(), key=lambda item: -len(item[1]))


def cases(limit: int | None = None) -> list[Case]:
    """Return the node tests of the installed onnx, or ``limit`` of them."""
    base = Path(onnx.__file__).parent / "backend" / "test" / "data" / "node"
    folders = sorted(path.parent for path in base.glob("*/model.onnx"))
    if limit:
        step = max(1, len(folders) // limit)
        folders = folders[::step][:limit]
    names: set[str] = set()
    cases = []
    for folder in folders:
        name = naming.free(folder.name.lower(), names)
        names.add(name)
        cases.append(Case(folder, name))
    return cases


def sweep(wanted: Sequence[Case], work: Path) -> Iterator[Case]:
    """Run each case through as many stages as possible."""
    configured = _repository(work)
    left = list(wanted)
    while left:
        with triton.start(configured) as server:
            for _ in range(min(LOADS_A_SERVER, len(left))):
                case = left.pop(0)
                try:
                    _take(case, configured, server)
                except ServerGoneError as error:
                    # the cause may be an earlier model: try again on a new server
                    shutil.rmtree(configured.root / "models" / case.name, ignore_errors=True)
                    if not case.again:
                        left.insert(0, Case(case.folder, case.name, again=True))
                        break
                    case.reason = f"the server dies: {error.what}"
                if case.reason:
                    print(f"{case.name}: {case.reason}", file=sys.stderr)
                yield case
                if case.again:
                    break


def _repository(work: Path) -> Settings:
    from dvc.repo import Repo

    work.mkdir(parents=True)
    (work / settings.FILE_NAME).write_text((ROOT / settings.FILE_NAME).read_text())
    Repo.init(str(work), no_scm=True).close()
    return settings.load(work)


def _take(case: Case, configured: Settings, server: Server) -> None:
    try:
        derived = from_onnx.derive(case.folder / "model.onnx")
        folder = from_onnx.write(case.name, derived, configured)
        case.reached.append("made")
        findings = check.check([folder], configured)
        if findings:
            case.reason = f"check: {findings[0].rule} {findings[0].what}"
            return
        case.reached.append("checked")
        with tempfile.TemporaryDirectory(dir=configured.root) as output:
            artifact = build.build(folder, configured, Path(output)).path
            case.reached.append("packed")
            _unpack(artifact, server.folder(case.name), configured.root / ENVIRONMENT)
            cpu_fallback.to_cpu(server.folder(case.name))
            server.load_extracted(case.name)
        case.reached.append("loaded")
        case.reason = _answer(case, derived, server) or _golden(case, folder, server)
        if not case.reason:
            case.reached.append("answered")
    except SlipwayError as error:
        gone = error if isinstance(error, ServerGoneError) else error.__cause__
        if isinstance(gone, ServerGoneError):
            raise gone from error
        case.reason = " ".join(error.what.split())
        case.carried = "which Triton does not carry" not in error.what
    except Exception as error:  # a bug must not end the whole run
        case.reason = f"bug: {error!r}"


def _unpack(artifact: Path, into: Path, environment: Path) -> None:
    """Extract an artifact; its environment's files are links to those of the first artifact."""
    into.mkdir(parents=True)
    with open_tar(artifact) as tar:
        for member in tar:
            _, inside, name = member.name.partition(f"/{ENVIRONMENT}/")
            if not inside:
                tar.extract(member, into, filter="data", set_attrs=member.isfile())
                continue
            if not (environment / name).exists():
                tar.extract(member, into, filter="data")
                (environment / name).parent.mkdir(parents=True, exist_ok=True)
                if member.isfile():
                    (environment / name).hardlink_to(into / member.name)
            elif member.isfile():
                (into / member.name).parent.mkdir(parents=True, exist_ok=True)
                (into / member.name).hardlink_to(environment / name)


def _answer(case: Case, derived: Derived, server: Server) -> str:
    """Return how the answer differs from the test's; empty if it is the same."""
    planned = derived.steps
    batching = planned.max_batch_size > 0
    sent, expected = _data(case.folder)
    optional = set(derived.graph.optional)
    if optional & set(sent):
        return "overrides a value of the graph"
    got = server.invoke(
        case.name, {t.public: t.client_array(sent[t.name], batching) for t in planned.inputs}
    )
    here = derived.graph.run({t.name: sent[t.name] for t in planned.inputs})
    for tensor in planned.outputs:
        answer = got[tensor.public]
        problem = _different(answer, tensor.client_array(expected[tensor.name], batching))
        if problem:
            own = not _different(answer, tensor.client_array(here[tensor.name], batching))
            return f"{tensor.name}: {problem}" + (
                ", as ONNX Runtime without a server" if own else ""
            )
    return ""


def _golden(case: Case, folder: Path, server: Server) -> str:
    """Return how answers differ from those recorded in the golden cases; empty if they agree."""
    for place in golden.cases(folder):
        lines = golden.differences(place, golden.outcome(Model(server, case.name), place))
        if lines:
            return f"golden case: {lines[0]}"
    return ""


def _data(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    graph = onnx.load(folder / "model.onnx").graph
    data = folder / "test_data_set_0"
    sides = []
    for side, values in (("input", graph.input), ("output", graph.output)):
        arrays = {}
        for number, value in enumerate(values):
            tensor = onnx.TensorProto()
            tensor.ParseFromString((data / f"{side}_{number}.pb").read_bytes())
            arrays[value.name] = numpy_helper.to_array(tensor)
        sides.append(arrays)
    return sides[0], sides[1]


def _different(got: Any, wanted: Any) -> str:
    if wanted.dtype.kind in "OSU":
        texts = [t.decode() if isinstance(t, bytes) else t for t in wanted.ravel()]
        same = [t.decode() for t in got.ravel()] == texts and got.shape == wanted.shape
        return "" if same else f"{got.tolist()} instead of {wanted.tolist()}"
    if (got.dtype, got.shape) != (wanted.dtype, wanted.shape):
        return f"{got.dtype}{got.shape} instead of {wanted.dtype}{wanted.shape}"
    if not np.allclose(got, wanted, rtol=RTOL, atol=ATOL, equal_nan=True):
        return f"off by up to {np.nanmax(np.abs(got.astype(float) - wanted.astype(float))):.2g}"
    return ""
