"""Explain rows of one model with the same options."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from slipway.cli.monitor.explain_rows import Asked, RowSource, choose_rows
from slipway.client import Model, arguments, request
from slipway.errors import SlipwayError
from slipway.explain.explain import explain, one_row
from slipway.explain.explanation import Explanation
from slipway.explain.options import Options
from slipway.explain.summary import Summary, summarize


class ExplainSession:
    """Explains rows of one model with the same options."""

    def __init__(
        self,
        model: Model,
        source: RowSource,
        options: Options,
        background: Path | None,
        parameters: Mapping[str, Any],
    ) -> None:
        self.model, self.source, self.options = model, source, options
        self.background, self.parameters = background, parameters

    def one(self, asked: Asked) -> tuple[Explanation, Mapping[str, Any]]:
        """Return the explanation of one row, and the row without its batch dimension."""
        parameters = {**asked.parameters, **self.parameters} or None
        rows, place = self.source.background(self.background, asked.inputs, self.options.seed)
        found = explain(
            lambda inputs: self.model.predict(inputs, parameters=parameters),
            self.source.interface,
            asked.inputs,
            background=rows,
            options=self.options,
        )
        if rows is not None and found.kind == "row" and found.method != "server":
            found = replace(found, statements=(*found.statements, f"background rows: {place}"))
        return found, one_row(self.source.interface, asked.inputs)

    def summary(self, asked: list[Asked], left_out: list[str], most: int) -> Summary:
        """Return the summary of many rows; a row that cannot be explained is left out and said.

        Of two labels, the second one's score is explained in every row: the signs then mean the
        same. Of more, it is the winning label's.
        """
        found: dict[int, Explanation] = {}
        chosen = list(choose_rows(asked, most, self.options.seed))
        for number, one in enumerate(chosen):
            try:
                found[number] = self.one(one)[0]
                if self.options.label is None and self._is_of_two(found[number]):
                    self.options = replace(self.options, label="1")
                    found[number] = self.one(one)[0]
            except SlipwayError as error:
                left_out.append(f"{one.place}: {error.what}")
        if len(chosen) < len(asked):
            left_out.append(f"{len(asked) - len(chosen)} rows beyond --rows {most}")
        return summarize(list(found.values()), left_out)

    def _is_of_two(self, explanation: Explanation) -> bool:
        """Return whether what is explained is one of two numbers of an output."""
        match = re.search(r"(\w+)\[[01]\]", explanation.score)
        declared = self.source.interface.outputs.get(match[1]) if match else None
        return declared is not None and declared.dims == (2,)


def choose_row(
    source: RowSource,
    files: tuple[str, ...],
    data: str | None,
    arrays: tuple[str, ...],
    case: str | None,
    row: int | None,
) -> Asked:
    """Return the one row to explain.

    Raises:
        SlipwayError: there are several, and none was chosen, or there is no such row.
    """
    if case is not None:
        asked = source.case(case)
    else:
        values = arguments.parse_inputs(
            source.interface, name=source.name, files=files, text=data, arrays=arrays
        )
        fitted = request.fit(source.interface, values, name=source.name)
        asked = source.split(fitted, "the request", {})
    if row is None and len(asked) > 1:
        raise SlipwayError(
            f"{len(asked)} rows, and one answer is explained at a time",
            fix=f"choose one with --row 1 to {len(asked)}, or summarize all with --cases",
        )
    number = row or 1
    if number > len(asked):
        raise SlipwayError(f"there is no row {number}", fix=f"--row 1 to {len(asked)}")
    return asked[number - 1]
