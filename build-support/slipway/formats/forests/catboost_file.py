"""What a file of CatBoost says of itself: the core of its binary format, ``CBM1``.

Source: catboost/libs/model/flatbuffers/model.fbs and features.fbs; model.cpp writes the four bytes,
a length of 4 bytes, the core, then tables of categories.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from slipway.errors import SlipwayError
from slipway.formats.contents import Contents
from slipway.formats.forests.features import numbers
from slipway.formats.forests.flatbuffer import MalformedError, Table, root_of
from slipway.formats.format import Feature

MAGIC = b"CBM1"
NEWEST = (1, 2)  # of locks/catboost.txt
CORE = "FlabuffersModel_v1"  # as CatBoost spells it
JSON = re.compile(rb'\s*\{[^\0]{0,60000}"(oblivious_trees|model_guid|catboost_version_info)"')
# no category's name is in the file, only hashes: any text is answered
TEXTS = ("0", "1", "2", "a", "b", "c", "other")
PLAIN, CATEGORY, TEXT = "number", "category", "text"
BINARY = ("Logloss", "CrossEntropy")
MULTICLASS = ("MultiClass", "MultiClassOneVsAll")
MULTILABEL = ("MultiLogloss", "MultiCrossEntropy")


@dataclass(frozen=True)
class Column:
    """A column of the training's table."""

    kind: str
    feature: Feature


@dataclass(frozen=True)
class CatBoostFile:
    """The core of a model."""

    core: Table

    @cached_property
    def trees_table(self) -> Table:
        """Return the part with trees and features."""
        table = self.core.table(1)
        if table is None:
            raise MalformedError("no trees")
        return table

    @cached_property
    def info(self) -> Mapping[str, str]:
        """Return what the training noted, by its keys."""
        return {pair.text(0): pair.text(1) for pair in self.core.tables(2)}

    @property
    def version(self) -> tuple[int, ...]:
        """Return the version of CatBoost that wrote it; () if it does not say."""
        text = self.info.get("catboost_version_info", "")
        found = re.search(r"release (\d+(\.\d+)*)|tags/v(\d+(\.\d+)*)", text)
        return tuple(int(part) for part in (found[1] or found[3]).split(".")) if found else ()

    @property
    def loss(self) -> str:
        """Return the loss function of the training, without its parameters."""
        parameters = self._json("params")
        return str(parameters.get("loss_function", {}).get("type", ""))

    @property
    def trees(self) -> int:
        """Return the number of trees."""
        return len(self.trees_table.numbers(2, "<i4"))

    @property
    def dimension(self) -> int:
        """Return how many values a tree's leaf has."""
        return self.trees_table.number(0, "i", 1)

    @property
    def is_symmetric(self) -> bool:
        """Return whether all nodes of a level split alike, as CatBoost's trees do by default."""
        return not self.trees_table.numbers(10, "<u4").size

    @property
    def classes(self) -> tuple[str | int | float, ...]:
        """Return the classes' labels, () of a model that has none."""
        return tuple(self._json("class_params").get("class_names", ()))

    @property
    def label_kind(self) -> str:
        """Return the type of the labels: Integer, Float, String or Boolean; '' without labels."""
        return str(self._json("class_params").get("class_label_type", ""))

    @property
    def written_by(self) -> str:
        """Return the version for a sentence."""
        return ".".join(map(str, self.version)) or "an unknown version"

    @property
    def answers(self) -> str:
        """Return what it answers: binary, multiclass, multilabel or prediction."""
        for answers, losses in (
            ("binary", BINARY),
            ("multiclass", MULTICLASS),
            ("multilabel", MULTILABEL),
        ):
            if self.loss in losses:
                return answers
        return "prediction"

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """Return the columns in the order of the training's table."""
        found: dict[int, Column] = {}
        for table in self.trees_table.tables(5):
            place = table.number(2, "i", -1)
            borders = [float(border) for border in table.numbers(3, "<f4")]
            name = table.text(4) or str(place)
            found[place] = Column(PLAIN, numbers(name, borders))
        for kind, field in ((CATEGORY, 4), (TEXT, 12)):
            for table in self.trees_table.tables(field):
                place = table.number(1, "i", -1)
                name = table.text(2) or str(place)
                found[place] = Column(kind, Feature(name, values=TEXTS))
        return tuple(column for _, column in sorted(found.items()))

    @property
    def has_texts(self) -> bool:
        """Return whether a column holds categories or texts."""
        return any(column.kind != PLAIN for column in self.columns)

    def _json(self, key: str) -> Mapping[str, Any]:
        values = json.loads(self.info.get(key) or "{}")
        return values if isinstance(values, dict) else {}


def is_catboost(contents: Contents) -> bool:
    """Return whether the first bytes are those of a model of CatBoost."""
    return contents.head.startswith(MAGIC) or bool(JSON.match(contents.head))


def load_catboost(path: Path, head: bytes) -> CatBoostFile:
    """Return the core of a file.

    Raises:
        SlipwayError: it is JSON, truncated, or of a newer CatBoost.
    """
    where = str(path)
    if not head.startswith(MAGIC):
        what = "a CatBoost model in JSON, whose numbers are rounded"
        fix = "save it in CatBoost's own format: model.save_model('model.cbm')"
        raise SlipwayError(what, where=where, fix=fix)
    data = path.read_bytes()
    size = int.from_bytes(data[4:8], "little")
    model = CatBoostFile(root_of(data[8 : 8 + size]))
    try:
        if size > len(data) - 8:
            raise MalformedError(f"{len(data) - 8:,} of {size:,} bytes")
        written, known = model.version, model.core.text(0) == CORE
        model.columns, model.trees  # noqa: B018 - reads all of it
    except MalformedError as error:
        what = f"a CatBoost model that is not complete: {error}"
        fix = "copy or download the file again; compare its size with the original"
        raise SlipwayError(what, where=where, fix=fix) from error
    if not known or written[:2] > NEWEST:
        version, newest = (".".join(map(str, v)) for v in (written, NEWEST))
        what = f"a model of CatBoost {version}; the newest that is known here is {newest}"
        fix = f"train and save it with catboost=={newest}.*, or use a newer Slipway"
        raise SlipwayError(what, where=where, fix=fix)
    return model
