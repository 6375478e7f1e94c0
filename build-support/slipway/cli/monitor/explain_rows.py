"""The rows that ``slipway explain`` is about, and its background rows."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from slipway.client import arguments, request
from slipway.errors import SlipwayError
from slipway.explain.background import background_of_profile, stack_rows
from slipway.explain.explain import one_row
from slipway.model import tensors
from slipway.model.interface import Interface
from slipway.profile.profile import FILE_NAME, load_profile
from slipway.settings import Settings
from slipway.testing import golden
from slipway.triton.datatypes import BYTES, Array

Inputs = Mapping[str, Array]


@dataclass(frozen=True)
class Asked:
    """One row to explain, with its batch dimension; ``place`` says where it is from."""

    place: str
    inputs: Inputs
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RowSource:
    """Finds rows of the model ``name``, whose folder may be missing."""

    name: str
    interface: Interface
    settings: Settings

    @property
    def folder(self) -> Path:
        """Return the model's folder in this repository."""
        return self.settings.root / "models" / self.name

    def case(self, name: str) -> list[Asked]:
        """Return the rows of a golden case.

        Raises:
            SlipwayError: there is no such case, or it does not fit the served model.
        """
        cases = {case.name: case for case in golden.cases(self.folder)}
        if name not in cases:
            raise SlipwayError(
                f"{self.name} has no golden case {name!r}",
                where=str(self.folder / "tests/cases"),
                fix=f"one of: {', '.join(cases) or 'none: give a FILE or --data'}",
            )
        return self._of_case(cases[name])

    def cases(self, location: str) -> tuple[list[Asked], list[str]]:
        """Return the rows of a folder of cases, or of a file; and which cases do not fit.

        Raises:
            SlipwayError: the location has no rows, or the file cannot be read.
        """
        path = Path(location) if location else self.folder / "tests" / "cases"
        if path.is_file():
            return self.split(self.file(path), str(path), {}), []
        found = sorted(file.parent for file in path.glob(f"**/{golden.INPUT}"))
        if not found:
            raise SlipwayError(
                "no golden case is here", where=str(path), fix="--cases FOLDER, or a file of rows"
            )
        asked: list[Asked] = []
        left_out = []
        for case in found:
            try:
                asked += self._of_case(case)
            except SlipwayError as error:
                left_out.append(f"{case.name}: {error.what}")
        return asked, left_out

    def captured(self, where: str, since: timedelta, folder: str | None) -> list[Asked]:
        """Return the rows that the endpoint ``where`` captured of this model, or of ``folder``.

        Raises:
            SlipwayError: nothing was captured.
        """
        from slipway.capture.location import capture_location, parse_location
        from slipway.capture.read import read_captured

        location = (
            parse_location(folder, self.settings.root, foreign=True)
            if folder
            else capture_location(self.settings, where)
        )
        asked: list[Asked] = []
        until = datetime.now(UTC)
        for record in read_captured(location, names=[self.name], since=until - since, until=until):
            whole = not set(record.redacted) & set(self.interface.inputs)
            if record.role == "answer" and whole and record.inputs:
                asked += self.split(record.inputs, f"captured {record.when:%Y-%m-%d %H:%M:%S}", {})
        if not asked:
            raise SlipwayError(
                f"no request to {self.name} was captured in this time, or only redacted ones",
                where=str(location),
                fix="serve with slipway endpoint up --capture, or look further back with --since",
            )
        return asked

    def file(self, path: Path) -> dict[str, Array]:
        """Return all rows of a file: JSON as --data takes it, or CSV with the inputs' names.

        Raises:
            SlipwayError: it cannot be read, or does not fit the inputs.
        """
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SlipwayError(
                f"cannot be read: {error}", where=str(path), fix="name a file of JSON or CSV"
            ) from error
        if path.suffix.lower() == ".csv":
            text = json.dumps(
                [self._typed(line, path) for line in csv.DictReader(io.StringIO(text))]
            )
        values = arguments.parse_json(self.interface, text, self.name)
        return self._arrays(values)

    def background(
        self, location: Path | None, row: Inputs, seed: int
    ) -> tuple[Inputs | None, str]:
        """Return the background rows for ``row``, and where they are from.

        By default those of the profile, else the golden cases; ``None``: there are none.

        Raises:
            SlipwayError: the file cannot be read, or does not fit.
        """
        if location is not None:
            return self.file(location), str(location)
        single = one_row(self.interface, row)
        profile = self.folder / FILE_NAME
        if profile.is_file():
            drawn = background_of_profile(
                load_profile(profile.read_bytes(), where=str(profile)), single, seed=seed
            )
            if drawn is not None:
                return drawn, str(profile)
        requests = []
        for case in golden.cases(self.folder) if self.interface.batches else []:
            try:
                if golden.expected_error(case) is None:
                    requests.append(
                        request.fit(self.interface, golden.inputs(case), name=self.name)
                    )
            except SlipwayError:
                continue  # it does not fit the served release: no background
        return stack_rows(requests, single), "the golden cases"

    def split(self, inputs: Inputs, place: str, parameters: Mapping[str, Any]) -> list[Asked]:
        """Return a request row by row."""
        if not self.interface.batches:
            return [Asked(place, inputs, parameters)]
        count = len(next(iter(inputs.values())))
        return [
            Asked(
                f"{place}, row {number + 1}" if count > 1 else place,
                {name: array[number : number + 1] for name, array in inputs.items()},
                parameters,
            )
            for number in range(count)
        ]

    def _of_case(self, case: Path) -> list[Asked]:
        if golden.expected_error(case) is not None:
            raise SlipwayError("its answer is an error", where=str(case), fix="another case")
        inputs = request.fit(self.interface, golden.inputs(case), name=self.name)
        return self.split(inputs, case.name, golden.parameters(case))

    def _arrays(self, values: Mapping[str, Any]) -> dict[str, Array]:
        return {
            name: tensors.array(name, value, self.interface.inputs[name], self.interface.batches)
            for name, value in values.items()
            if value is not None
        }

    def _typed(self, line: Mapping[str, str | None], path: Path) -> dict[str, Any]:
        """Return a line of CSV with numbers where the inputs are; what is empty is ``None``."""
        typed: dict[str, Any] = {}
        lowered = {name.lower(): tensor for name, tensor in self.interface.inputs.items()}
        for name, value in line.items():
            tensor = lowered.get((name or "").lower())
            if tensor is None:
                continue  # a column that the model does not take
            if tensor.datatype == BYTES:
                typed[name] = value or ""
                continue
            try:
                typed[name] = None if not value else json.loads(value)
            except ValueError as error:
                raise SlipwayError(
                    f"{name} is {value!r}, not a number", where=str(path), fix="correct the row"
                ) from error
        if not typed:
            raise SlipwayError(
                "no column has the name of an input",
                where=str(path),
                fix=f"a head with: {request.describe_inputs(self.interface)}",
            )
        return typed


def choose_rows(asked: list[Asked], most: int, seed: int) -> Iterator[Asked]:
    """Yield at most ``most`` of the rows, drawn from ``seed``, in their order."""
    chosen = np.arange(len(asked))
    if len(asked) > most:
        chosen = np.sort(np.random.default_rng(seed).permutation(len(asked))[:most])
    for number in chosen:
        yield asked[number]
