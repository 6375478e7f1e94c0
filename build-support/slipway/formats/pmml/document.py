"""What a PMML document tells of its fields: what they may hold, and rows that verify the model."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from slipway.formats.format import Feature

type Element = ElementTree.Element

# elements that name a field and a value of it
VALUED = ("SimplePredicate", "CategoricalPredictor", "NormDiscrete", "PPCell", "PairCounts")


@dataclass
class Field:
    """What a document tells of a field. ``name`` is that of DataField."""

    name: str
    low: float | None = None
    high: float | None = None
    values: list[str] = field(default_factory=list)

    def see(self, text: str | None) -> None:
        """Note a value that the model tells apart: the end of a range, or a category."""
        if text is None:
            return
        number = _number(text)
        if number is None:
            if text not in self.values:
                self.values.append(text)
        else:
            self.low = number if self.low is None else min(self.low, number)
            self.high = number if self.high is None else max(self.high, number)

    def feature(self, text: bool, whole: bool) -> Feature:
        """Return what rows of it are drawn from. Any field of PMML may be missing."""
        if text:
            values = self.values or _numbers_as_texts(self)
            return Feature(self.name, values=tuple(values), missing=True)
        low = 0.0 if self.low is None else self.low
        high = low + 10.0 if self.high is None else self.high
        if high <= low:
            low, high = low - 1.0, high + 1.0
        return Feature(self.name, low, high, integer=whole, missing=True)


@dataclass(frozen=True)
class Verification:
    """Rows of ModelVerification: ``given`` are inputs, ``expected`` answers, as their texts."""

    given: tuple[dict[str, str], ...]
    expected: tuple[dict[str, str], ...]
    precision: dict[str, float]


def read_document(path: Path) -> tuple[dict[str, Field], Verification | None]:
    """Return the fields of the DataDictionary by name, and the document's own verification.

    Raises:
        ElementTree.ParseError: it is not well-formed.
    """
    root = ElementTree.parse(path).getroot()
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    fields = {e.get("name", ""): Field(e.get("name", "")) for e in root.iter("DataField")}
    for element in root.iter("DataField"):
        _see_declared(element, fields[element.get("name", "")])
    for element in root.iter():
        if (named := fields.get(_named(element))) is not None:
            _see_used(element, named)
    return fields, _verification(root, fields)


def _named(element: Element) -> str:
    named = (element.get(key) for key in ("field", "name", "predictorName"))
    return next((name for name in named if name), "")


def _see_declared(element: Element, found: Field) -> None:
    for value in element.iter("Value"):
        if value.get("property", "valid") == "valid":
            found.values.append(value.get("value", ""))
    for interval in element.iter("Interval"):
        found.see(interval.get("leftMargin"))
        found.see(interval.get("rightMargin"))


def _see_used(element: Element, found: Field) -> None:
    if element.tag in VALUED:
        found.see(element.get("value"))
    elif element.tag == "SimpleSetPredicate":
        for array in element.iter("Array"):
            for item in _array(array.text or ""):
                found.see(item)
    elif element.tag == "NormContinuous":
        for norm in element.iter("LinearNorm"):
            found.see(norm.get("orig"))
    elif element.tag == "UnivariateStats":
        for numbers in element.iter("NumericInfo"):
            found.see(numbers.get("minimum"))
            found.see(numbers.get("maximum"))
    elif element.tag == "MiningField":
        found.see(element.get("lowValue"))
        found.see(element.get("highValue"))
        found.see(element.get("missingValueReplacement"))


def _array(text: str) -> list[str]:
    """Return the items of PMML's Array: separated by blanks, in quotes where they hold some."""
    parts = text.replace('\\"', "\0").split('"')
    items: list[str] = []
    for position, part in enumerate(parts):
        part = part.replace("\0", '"')
        items += [part] if position % 2 else part.split()
    return items


def _numbers_as_texts(found: Field) -> list[str]:
    if found.low is None:
        return []
    return [f"{number:g}" for number in {found.low, found.high or found.low}]


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _verification(root: Element, fields: dict[str, Field]) -> Verification | None:
    element = root.find("*/ModelVerification")
    if element is None:
        return None
    columns = {
        (e.get("column") or e.get("field") or "").rpartition(":")[2]: e.get("field", "")
        for e in element.iter("VerificationField")
    }
    targets = {
        e.get("name", "")
        for e in root.iter("MiningField")
        if e.get("usageType") in ("target", "predicted")
    }
    precision = {
        e.get("field", ""): float(e.get("precision", "1E-6"))
        for e in element.iter("VerificationField")
    }
    rows = [
        {columns[cell.tag]: cell.text or "" for cell in row if cell.tag in columns}
        for row in element.iter("row")
    ]
    inputs = set(fields) - targets
    return Verification(
        tuple({k: v for k, v in row.items() if k in inputs} for row in rows),
        tuple({k: v for k, v in row.items() if k not in inputs} for row in rows),
        precision,
    )
