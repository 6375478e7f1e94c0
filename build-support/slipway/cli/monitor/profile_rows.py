"""The rows that ``slipway profile`` profiles: of a file, of golden cases, or captured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from slipway.errors import SlipwayError
from slipway.triton.datatypes import BYTES, Array

if TYPE_CHECKING:
    from slipway.model.interface import Interface, Tensor
    from slipway.settings import Settings

IMAGES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff")
LOCAL = "local"  # the endpoint whose captures are read where none is named


@dataclass(frozen=True)
class ProfileRows:
    """Arrays by tensor, the rows first; several of one tensor differ in the shape of a row."""

    inputs: Mapping[str, Sequence[Array]]
    outputs: Mapping[str, Sequence[Array]]
    source: str
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def interface_of(folder: Path) -> Interface:
    """Return the tensors of the model that is served from the folder.

    Raises:
        SlipwayError: the folder is not one of Triton, or its served model declares no tensors.
    """
    from slipway.model.config_interface import interface_of_config
    from slipway.model.container_folder import is_container
    from slipway.model.folder import read_model_folder

    if is_container(folder):
        raise SlipwayError(
            "a container's model has no tensors that could be profiled",
            where=str(folder),
            fix="profile models that Triton serves",
        )
    model = read_model_folder(folder)
    interface = interface_of_config(model.configs[model.ensemble])
    if not interface.inputs:
        raise SlipwayError(
            "its config declares no inputs",
            where=str(folder / model.ensemble / "config.pbtxt"),
            fix="declare them: slipway check --fix",
        )
    return interface


def from_golden(folder: Path, interface: Interface) -> ProfileRows:
    """Return the rows of the golden cases that expect outputs, and what these are.

    Raises:
        SlipwayError: there is none, or one is malformed.
    """
    from slipway.model.interface import as_array
    from slipway.testing import golden

    inputs: dict[str, list[Array]] = {}
    outputs: dict[str, list[Array]] = {}
    cases = 0
    for case in golden.cases(folder):
        expected = golden.expected_outputs(case)
        if expected is None:
            continue
        cases += 1
        for name, value in golden.inputs(case).items():
            declared = interface.inputs.get(name)
            _add(inputs, name, as_array(name, value, declared, interface.batches), interface)
        for name, array in expected.items():
            _add(outputs, name, array, interface)
    if not cases:
        raise SlipwayError(
            "no golden case with outputs, and no rows are given",
            where=str(folder / "tests" / "cases"),
            fix=f"slipway profile {folder.name} --rows FILE",
        )
    rows = max(sum(map(len, arrays)) for arrays in inputs.values())
    note = (
        f"{cases} golden cases have only {rows} rows: give those of the training with --rows FILE,"
        " or captured ones with --captured"
    )
    return ProfileRows(inputs, outputs, "golden cases", notes=(note,))


def from_rows(
    settings: Settings,
    folder: Path,
    interface: Interface,
    rows: Path,
    outputs: Path | None,
    where: str | None,
) -> ProfileRows:
    """Return the rows of a file or of a folder of images, and the model's answers to them.

    Raises:
        SlipwayError: they cannot be read, do not fit the model, or the model cannot be asked.
    """
    from slipway.cli.monitor.profile_answers import ask_model

    columns: dict[str, tuple[str, ...]] = {}
    notes: tuple[str, ...] = ()
    if rows.is_dir():
        arrays = _images(rows, interface)
    else:
        arrays, notes, columns = _table(rows, interface.inputs)
    if outputs is not None:
        answers, more, _ = _table(outputs, interface.outputs)
        notes = (*notes, *more)
        count, expected = (len(next(iter(side.values()))) for side in (answers, arrays))
        if count != expected:
            raise SlipwayError(
                f"{count} rows of outputs, and {expected} rows of inputs",
                where=str(outputs),
                fix="give one row of outputs for each row of inputs",
            )
        return ProfileRows(_lists(arrays), _lists(answers), rows.name, columns, notes)
    answered = ask_model(settings, folder, interface, arrays, where)
    return ProfileRows(_lists(arrays), answered, rows.name, columns, notes)


def from_captures(
    settings: Settings, name: str, interface: Interface, since: timedelta, where: str | None
) -> ProfileRows:
    """Return the rows that an endpoint captured of any release of the model.

    Raises:
        SlipwayError: there are none, or they cannot be read.
    """
    from slipway.capture.location import capture_location
    from slipway.capture.read import read_captured

    endpoint = where or LOCAL
    begin = datetime.now(UTC) - since
    inputs: dict[str, list[Array]] = {}
    outputs: dict[str, list[Array]] = {}
    redacted: set[str] = set()
    requests = 0
    location = capture_location(settings, endpoint)
    for request in read_captured(location, endpoint=endpoint, names=[name], since=begin):
        if request.role != "answer":
            continue
        requests += 1
        redacted |= set(request.redacted)
        sides = ((request.inputs, inputs, interface.inputs),
                 (request.outputs, outputs, interface.outputs))  # fmt: skip
        for captured, collected, declared in sides:
            for tensor, array in captured.items():
                if tensor in declared and tensor not in request.redacted:
                    _add(collected, tensor, array, interface)
    if not inputs and not outputs:
        raise SlipwayError(
            f"{endpoint} captured nothing of {name} since {begin:%Y-%m-%d %H:%M} UTC",
            where=str(location),
            fix="name a longer --since; or capture: slipway endpoint up --capture",
        )
    notes = [f"{tensor}: redacted in captures, not profiled" for tensor in sorted(redacted)]
    source = f"{requests} requests that {endpoint} captured"
    return ProfileRows(inputs, outputs, source, notes=tuple(notes))


def _add(side: dict[str, list[Array]], name: str, array: Array, interface: Interface) -> None:
    side.setdefault(name, []).append(array if interface.batches else array[np.newaxis])


def _lists(arrays: Mapping[str, Array]) -> dict[str, list[Array]]:
    return {name: [array] for name, array in arrays.items()}


def _images(folder: Path, interface: Interface) -> dict[str, Array]:
    inputs = [name for name, tensor in interface.inputs.items() if tensor.datatype == BYTES]
    if len(inputs) != 1 or len(interface.inputs) != 1:
        raise SlipwayError(
            f"a folder of images is for a model with one input of BYTES, not {len(inputs)} of"
            f" {len(interface.inputs)}",
            where=str(folder),
            fix="give a table: --rows FILE.npz",
        )
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in IMAGES)
    if not files:
        raise SlipwayError(
            "no image in it", where=str(folder), fix=f"images end with {', '.join(IMAGES)}"
        )
    array = np.empty((len(files), 1), dtype=object)
    array[:, 0] = [file.read_bytes() for file in files]
    return {inputs[0]: array}


def _table(
    file: Path, declared: Mapping[str, Tensor]
) -> tuple[dict[str, Array], tuple[str, ...], dict[str, tuple[str, ...]]]:
    """Return arrays by tensor, notes, and the names of columns that were joined to a tensor.

    Optional inputs may be missing.
    """
    from slipway.formats.format import Feature
    from slipway.formats.format import Tensor as TableTensor
    from slipway.formats.rows_arrays import to_arrays
    from slipway.formats.rows_file import read

    table = read(file)
    tensors = [
        TableTensor(name, tensor.datatype, tensor.dims)
        for name, tensor in declared.items()
        if name in table.columns or not tensor.optional
    ]
    columns: dict[str, tuple[str, ...]] = {}
    if len(declared) == 1 and len(table.columns) > 1:
        ((name, only),) = declared.items()
        names = tuple(table.columns)
        if name not in table.columns and only.dims == (len(names),):
            features = tuple(map(Feature, names))
            tensors = [TableTensor(name, only.datatype, only.dims, features)]
            columns[name] = names
    arrays, notes = to_arrays(table, tensors)
    return arrays, notes, columns
