"""The names of numpy's types, as values of this package carry them."""

from __future__ import annotations

from slipway.check.inference.values import DType, Scalar, ScalarKind, Value

# in the order of the tables' letters
NAMES = """bool int8 uint8 int16 uint16 int32 uint32 int64 uint64 float16 float32 float64
complex64 complex128 object str bytes""".split()
LETTERS = "?bBhHiIlLefdFDOUS"
SIGNED, UNSIGNED, FLOATS, COMPLEX = "bhil", "BHIL", "efd", "FD"
OTHERS = {"longdouble", "clongdouble", "datetime64", "timedelta64", "void"}
# other names of the types, below numpy and as text; on Linux, where models are served
ALIASES = {
    "bool_": "bool",
    "byte": "int8",
    "ubyte": "uint8",
    "short": "int16",
    "ushort": "uint16",
    "intc": "int32",
    "uintc": "uint32",
    "int": "int64",
    "int_": "int64",
    "intp": "int64",
    "longlong": "int64",
    "uint": "uint64",
    "uintp": "uint64",
    "ulonglong": "uint64",
    "half": "float16",
    "single": "float32",
    "csingle": "complex64",
    "float": "float64",
    "float_": "float64",
    "double": "float64",
    "complex": "complex128",
    "complex_": "complex128",
    "cdouble": "complex128",
    "object_": "object",
    "str_": "str",
    "unicode_": "str",
    "bytes_": "bytes",
    "string_": "bytes",
    "float128": "longdouble",
    "complex256": "clongdouble",
}
# the types' characters and sizes, as in "f4" and "<f4"
CODES = {"?": "bool", "b1": "bool", "O": "object"}
CODES |= {letter: name for letter, name in zip(LETTERS, NAMES, strict=True) if letter not in "US"}
CODES |= {"i1": "int8", "i2": "int16", "i4": "int32", "i8": "int64", "i": "int32"}
CODES |= {"u1": "uint8", "u2": "uint16", "u4": "uint32", "u8": "uint64"}
CODES |= {"f2": "float16", "f4": "float32", "f8": "float64", "c8": "complex64", "c16": "complex128"}
CODES |= {"q": "int64", "Q": "uint64"}
ONE_BYTE = {"bool", "int8", "uint8"}

OF_KIND = {
    "bool": "bool",
    "int": "int64",
    "float": "float64",
    "complex": "complex128",
    "str": "str",
    "bytes": "bytes",
}
PYTHON_KINDS: dict[str, ScalarKind] = {
    "?": "bool",
    **dict.fromkeys(SIGNED + UNSIGNED, "int"),
    **dict.fromkeys(FLOATS, "float"),
    **dict.fromkeys(COMPLEX, "complex"),
    "U": "str",
    "S": "bytes",
}


def letter(name: str | None) -> str | None:
    """Return the tables' letter of a type; ``None`` if they do not have it."""
    return LETTERS[NAMES.index(name)] if name in NAMES else None


def name_of(letter: str | None) -> str | None:
    """Return the name of a type from its letter; ``None`` if it has none."""
    return NAMES[LETTERS.index(letter)] if letter and letter in LETTERS else None


def parse(value: Value | None) -> str | None:
    """Return the type that an argument ``dtype`` is; ``None`` if that is not known."""
    if isinstance(value, DType):
        return value.name
    if isinstance(value, Scalar) and isinstance(value.value, str):
        return parse_text(value.value)
    return None


def parse_text(text: str) -> str | None:
    """Return the type that a text is: ``float32``, ``f4``, ``<f4``, ``U10``.

    A type of the other byte order has another name here, since it is another type to Triton.
    """
    order, code = (text[0], text[1:]) if text[:1] in ("<", ">", "=", "|") else ("", text)
    named = named_type(code) if not order else None
    found = named or CODES.get(code)
    if found is None and code[:1] in ("U", "S") and (code[1:].isdigit() or not code[1:]):
        found = "str" if code[0] == "U" else "bytes"
    if found is None and code.startswith(("datetime64", "M8")):
        found = "datetime64"
    if order == ">" and found is not None and found not in {*ONE_BYTE, "bytes", "object"}:
        return f">{found}"
    return found


def named_type(name: str) -> str | None:
    """Return the type that is called ``name``, as below numpy; ``None`` if there is none."""
    known = ALIASES.get(name, name)
    return known if known in NAMES or known in OTHERS else None
