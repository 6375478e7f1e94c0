"""SW20x: the text of a config against Triton's schema."""

from __future__ import annotations

import re
from collections.abc import Iterator

from slipway.check.finding import Found, Place
from slipway.check.flow import did_you_mean
from slipway.check.rule import rule
from slipway.check.subject import Subject
from slipway.triton import config
from slipway.triton.pbtxt import tokenise

PARSER = "Triton core, filesystem/api.cc (ReadTextProto), and seen on 24.10"
# what protobuf's C++ tokeniser takes behind a backslash; Python's takes the rest as it is
ESCAPE = re.compile(r"\\(?:[abfnrtv\\?'\"]|[0-7]|[xX][0-9a-fA-F]|u[0-9a-fA-F]{4}|U00|(?P<bad>.))")
NO_VALUE = re.compile(r'Enum type "(?P<enum>[\w.]+)" has no value named "?(?P<name>\w+)')
FIXES = {
    "should not have multiple": "keep one of them",
    "another member of oneof": "keep one of them",
    'Expected "}"': "close the brace before this place",
    "not UTF-8": "save it as UTF-8",
}
# an ensemble's maps have a rule of their own
MAPS_OF_STEPS = ("input_map", "output_map")


@rule(
    "SW201",
    "not-parsed",
    reason="the load fails: “failed to read text proto”",
    source=PARSER,
)
def not_parsed(subject: Subject) -> Iterator[Found]:
    """The text is no ``ModelConfig``."""
    for each in subject.configs.values():
        if each.problem is None:
            continue
        line, column, said = each.problem
        # the first line repeats what stands at the place
        said = re.sub(r"^'.*?': (?=[A-Z])", "", said).rstrip(". ").replace("inference.", "")
        yield Found(Place(each.path, line, column), said, _fix(said))


@rule(
    "SW202",
    "unknown-field",
    reason="the load fails: “failed to read text proto”",
    source=PARSER,
)
def unknown_field(subject: Subject) -> Iterator[Found]:
    """A field that its message does not have."""
    for each in subject.configs.values():
        for field in each.fields.unknown if each.problem is None else ():
            otherwise = f"remove it; {field.message} has: {', '.join(sorted(field.known))}"
            yield Found(
                Place(each.path, *each.fields.position(field.start)),
                f"{field.message} has no field {field.name!r}",
                did_you_mean(field.name, field.known, otherwise),
            )


@rule(
    "SW203",
    "bad-escape",
    reason="the load fails: “Invalid escape sequence in string literal”",
    source="protobuf, io/tokenizer.cc, and seen on 24.10: Python's parser is more patient",
)
def bad_escape(subject: Subject) -> Iterator[Found]:
    r"""A backslash that begins no escape, as in ``"\d+"``."""
    for each in subject.configs.values():
        for token in tokenise(each.text) if each.problem is None and "\\" in each.text else ():
            for found in ESCAPE.finditer(token.text) if token.kind == "string" else ():
                if found["bad"]:
                    yield Found(
                        Place(each.path, *each.fields.position(token.start + found.start())),
                        f"{found[0]} is no escape sequence",
                        f"a backslash is written twice: \\{found[0]}",
                    )


@rule(
    "SW204",
    "key-twice",
    severity="warning",
    reason="the last entry counts, without a word",
    source="protobuf, maps in text format, and seen on 24.10",
)
def key_twice(subject: Subject) -> Iterator[Found]:
    """A map, such as ``parameters``, has two entries with the same key."""
    for each in subject.configs.values():
        seen: set[tuple[object, ...]] = set()
        for path, span in list(each.fields.spans.items()) if each.problem is None else ():
            if path[-1] != "key" or not isinstance(path[-2], int) or path[-3] in MAPS_OF_STEPS:
                continue
            key = each.text[span.value : span.end]
            entry = (*path[:-2], key)
            if entry in seen:
                yield Found(
                    Place(each.path, *each.fields.position(span.value)),
                    f"{path[-3]} has the key {key} twice",
                    "keep one of them",
                )
            seen.add(entry)


def _fix(said: str) -> str:
    """What mends a parser's complaint."""
    enum = NO_VALUE.search(said)
    if enum:
        found = config.schema().DESCRIPTOR.pool.FindEnumTypeByName(f"inference.{enum['enum']}")
        names = list(found.values_by_name)
        return did_you_mean(enum["name"], names, f"one of {', '.join(names)}")
    for complaint, fix in FIXES.items():
        if complaint in said:
            return fix
    return "see Triton's model_config.proto for the field's type"
