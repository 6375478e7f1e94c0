"""SW20x: the text of a config against Triton's schema."""

from __future__ import annotations

import re
from collections.abc import Iterator

from slipway.check.config_file import ConfigFile
from slipway.check.finding import Location, RuleHit
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.rule import rule
from slipway.check.rules.config_2xx.unfilled import unfilled_outside
from slipway.check.tensors.flow import did_you_mean
from slipway.triton.brackets import PARTNERS, without_partner
from slipway.triton.config import schema
from slipway.triton.pbtxt import tokenise

PARSER = "Triton core, filesystem/api.cc (ReadTextProto), and seen on 24.10"
# what protobuf's C++ tokeniser accepts after a backslash; Python's accepts any character
ESCAPE = re.compile(r"\\(?:[abfnrtv\\?'\"]|[0-7]|[xX][0-9a-fA-F]|u[0-9a-fA-F]{4}|U00|(?P<bad>.))")
NO_VALUE = re.compile(r'Enum type "(?P<enum>[\w.]+)" has no value named "?(?P<name>\w+)')
# the names that KServe's protocol and numpy have for them
OTHER_TYPES = {
    "BYTES": "TYPE_STRING",
    "STR": "TYPE_STRING",
    "FLOAT": "TYPE_FP32",
    "FLOAT16": "TYPE_FP16",
    "FLOAT32": "TYPE_FP32",
    "FLOAT64": "TYPE_FP64",
    "DOUBLE": "TYPE_FP64",
    "BOOLEAN": "TYPE_BOOL",
}
FIXES = {
    "should not have multiple": "keep one of them",
    "another member of oneof": "keep one of them",
    'Expected "}"': "close the brace before this line",
    "not UTF-8": "save it as UTF-8",
    "cannot be read": "make it a file that can be read",
}
# another rule examines the maps of an ensemble's steps
MAPS_OF_STEPS = ("input_map", "output_map")


@rule(
    "SW201",
    "not-parsed",
    reason="the load fails: “failed to read text proto”",
    source=PARSER,
)
def not_parsed(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find texts that are not a ``ModelConfig``."""
    for config in model.configs.values():
        if config.problem is None:
            continue
        line, column, complaint = config.problem
        unfilled = unfilled_outside(config)
        yield from unfilled
        if unfilled:
            continue
        # the complaint begins with the text at the location
        complaint = re.sub(r"^'.*?': (?=[A-Z])", "", complaint)
        complaint = complaint.rstrip(". ").replace("inference.", "")
        bracket = _bracket(config)
        if bracket is not None:
            yield bracket
        else:
            yield RuleHit(Location(config.path, line, column), complaint, _fix(complaint))


@rule(
    "SW202",
    "unknown-field",
    reason="the load fails: “failed to read text proto”",
    source=PARSER,
)
def unknown_field(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find fields that their message does not have."""
    for config in model.configs.values():
        for field in config.fields.unknown if config.problem is None else ():
            otherwise = f"remove it; {field.message} has: {', '.join(sorted(field.known))}"
            yield RuleHit(
                Location(config.path, *config.fields.position(field.start)),
                f"{field.message} has no field {field.name!r}",
                did_you_mean(field.name, field.known, otherwise),
            )


@rule(
    "SW203",
    "bad-escape",
    reason="the load fails: “Invalid escape sequence in string literal”",
    source="protobuf, io/tokenizer.cc, and seen on 24.10: Python's parser is more lenient",
)
def bad_escape(model: ModelUnderCheck) -> Iterator[RuleHit]:
    r"""Find backslashes that do not begin an escape sequence, as in ``"\d+"``."""
    for config in model.configs.values():
        parses = config.problem is None
        for token in tokenise(config.text) if parses and "\\" in config.text else ():
            for match in ESCAPE.finditer(token.text) if token.kind == "string" else ():
                if match["bad"]:
                    yield RuleHit(
                        Location(config.path, *config.fields.position(token.start + match.start())),
                        f"{match[0]} is not an escape sequence",
                        f"double the backslash: \\{match[0]}",
                    )


@rule(
    "SW204",
    "key-twice",
    severity="warning",
    reason="the last entry silently wins",
    source="protobuf, maps in text format, and seen on 24.10",
)
def key_twice(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find maps, such as ``parameters``, with two entries of the same key."""
    for config in model.configs.values():
        seen: set[tuple[object, ...]] = set()
        for path, span in list(config.fields.spans.items()) if config.problem is None else ():
            is_key = len(path) > 2 and path[-1] == "key" and isinstance(path[-2], int)
            if not is_key or path[-3] in MAPS_OF_STEPS:
                continue
            key = config.text[span.value : span.end]
            entry = (*path[:-2], key)
            if entry in seen:
                yield RuleHit(
                    Location(config.path, *config.fields.position(span.value)),
                    f"{path[-3]} has the key {key} twice",
                    "keep one of them",
                )
            seen.add(entry)


def _bracket(config: ConfigFile) -> RuleHit | None:
    """Return a bracket without its partner, where that is what the parser complains of."""
    bracket = without_partner(config.text)
    if bracket is None or config.problem is None:
        return None
    where, complaint = config.fields.position(bracket.start), config.problem[:2]
    if where > complaint:
        return None  # another mistake comes first
    location = Location(config.path, *where)
    if bracket.text not in PARTNERS:
        return RuleHit(location, f"{bracket.text!r} closes nothing", "remove it, or open it before")
    closing = PARTNERS[bracket.text]
    return RuleHit(
        location,
        f"{bracket.text!r} is not closed",
        f"add {closing!r} where it ends: before line {complaint[0]}",
    )


def _fix(complaint: str) -> str:
    """Return how to fix a parser's complaint."""
    unknown = NO_VALUE.search(complaint)
    if unknown:
        enum = schema().DESCRIPTOR.pool.FindEnumTypeByName(f"inference.{unknown['enum']}")
        names = list(enum.values_by_name)
        other = OTHER_TYPES.get(unknown["name"].upper().removeprefix("TYPE_"))
        if other is not None and unknown["enum"] == "DataType":
            return f"did you mean {other!r}?"
        return did_you_mean(unknown["name"], names, f"one of {', '.join(names)}")
    for pattern, fix in FIXES.items():
        if pattern in complaint:
            return fix
    return "see Triton's model_config.proto for the field's type"
