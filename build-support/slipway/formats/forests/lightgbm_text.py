"""What a text file of LightGBM says of itself: its first lines, its trees' sizes, its last line.

Source: LightGBM, src/boosting/gbdt_model_text.cpp (``SaveModelToString``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from slipway.errors import SlipwayError
from slipway.formats.contents import Contents
from slipway.formats.format import Feature

NEWEST = 4  # of the text's versions: "v4" since LightGBM 4
START = re.compile(rb"tree\r?\n(.+\n)*?version=v?(\d+)")
DUMP = re.compile(rb'\s*\{\s*"name"\s*:\s*"tree"')
SAVE = "save it with booster.save_model('model.txt'), which can be loaded again"
END = "end of trees"
END_OF_PARAMETERS = "end of parameters"
OLD_END = "\nfeature importances:"  # after the trees of LightGBM before 2.2


@dataclass(frozen=True)
class LightGBMText:
    """A model's text: the lines of its head, and the rest."""

    text: str

    @cached_property
    def head(self) -> Mapping[str, str]:
        """Return the lines before the first tree; a line without a value has the value ''."""
        lines = self.text.partition("\nTree=")[0].splitlines()
        return {name: value for name, _, value in (line.partition("=") for line in lines)}

    @property
    def version(self) -> int:
        """Return the version of the text: 4 since LightGBM 4, 3 since 2.3."""
        return int(self.head["version"].lstrip("v"))

    @property
    def objective(self) -> str:
        """Return the objective with its parameters, '' of one that Python code defined."""
        return self.head.get("objective", "")

    @property
    def classes(self) -> int:
        """Return the number of classes, 1 of a model that has none."""
        return int(self.head["num_class"])

    @property
    def trees(self) -> int:
        """Return the number of trees."""
        return self.text.count("\nTree=")

    @property
    def is_linear(self) -> bool:
        """Return whether leaves hold linear functions instead of numbers."""
        return "\nis_linear=1" in self.text

    @property
    def takes_zero_as_missing(self) -> bool:
        """Return whether a split takes a zero as a missing value (bits 2 and 3 of its type)."""
        lines = re.findall(r"^decision_type=(.*)$", self.text, re.MULTILINE)
        return any(int(kind) >> 2 & 3 == 1 for line in lines for kind in set(line.split()))

    @property
    def only_python(self) -> str | None:
        """Return why neither ONNX nor treelite can express the model; ``None`` if both can."""
        if self.is_linear:
            return "its leaves hold linear functions (linear_tree), which ONNX and FIL do not have"
        if self.takes_zero_as_missing:
            return "it takes zeros as missing (zero_as_missing), and treelite takes them as numbers"
        return None

    @property
    def is_categorical(self) -> bool:
        """Return whether a tree splits by categories."""
        return bool(re.search(r"\nnum_cat=[1-9]", self.text))

    @property
    def answers(self) -> str:
        """Return what it answers: binary, multiclass or prediction."""
        name = self.objective.partition(" ")[0]
        if name in ("multiclass", "multiclassova"):
            return "multiclass"
        return "binary" if name == "binary" else "prediction"

    @property
    def category_names(self) -> list[list[object]]:
        """Return what a DataFrame's categories were called, one list a categorical column."""
        found = re.search(r"^pandas_categorical:(.*)$", self.text[-1_000_000:], re.MULTILINE)
        names = json.loads(found[1]) if found else None
        return names if isinstance(names, list) else []

    @cached_property
    def features(self) -> tuple[Feature, ...]:
        """Return name and range of each column, those of the training's data."""
        names = self.head["feature_names"].split()
        infos = self.head["feature_infos"].split()
        return tuple(_feature(name, info) for name, info in zip(names, infos, strict=True))


def _feature(name: str, info: str) -> Feature:
    """Return a column by LightGBM's note: ``[low:high]``, ``none`` or its categories, ``0:2:1``."""
    if info.startswith("["):
        low, high = (float(end) for end in info.strip("[]").split(":"))
        return Feature(name, low, high, missing=True)
    if info == "none":  # of one value in the training, and never split
        return Feature(name, missing=True)
    codes = sorted(code for code in map(int, info.split(":")) if code >= 0)
    return Feature(name, codes[0], codes[-1], tuple(codes), integer=True, missing=True)


def is_lightgbm(contents: Contents) -> bool:
    """Return whether the first bytes are those of a text or a dump of LightGBM."""
    return bool(START.match(contents.head) or DUMP.match(contents.head))


def load_lightgbm(path: Path, head: bytes) -> LightGBMText:
    """Return the model in a file.

    Raises:
        SlipwayError: it is a dump, truncated, or of a newer LightGBM.
    """
    where = str(path)
    start = START.match(head)
    if start is None:
        what = "a dump of a LightGBM model, which LightGBM itself cannot load"
        raise SlipwayError(what, where=where, fix=SAVE)
    version = int(start[2])
    if version > NEWEST:
        what = f"a LightGBM model of version {version}; the newest that is known here is {NEWEST}"
        fix = f"save it with lightgbm {NEWEST}.*, or use a newer Slipway"
        raise SlipwayError(what, where=where, fix=fix)
    model = LightGBMText(path.read_text(errors="replace").replace("\r\n", "\n"))
    last = OLD_END if OLD_END in model.text else END
    ends = [last, *([END_OF_PARAMETERS] if "\nparameters:" in model.text else [])]
    missing = [line for line in ends if line not in model.text]
    if missing:
        what = f"a LightGBM model that is not complete: it has no line '{missing[0]}'"
        fix = "copy or download the file again; compare its size with the original"
        raise SlipwayError(what, where=where, fix=fix)
    return model
