"""Find the bracket of a ``config.pbtxt`` that lacks its partner."""

from __future__ import annotations

from slipway.triton.pbtxt import Token, tokenise

PARTNERS = {"{": "}", "[": "]", "<": ">"}
OPENING = {closing: opening for opening, closing in PARTNERS.items()}


def without_partner(text: str) -> Token | None:
    """Return the first bracket that is not closed, or that closes nothing; ``None`` if all match.

    An opening bracket whose partner is missing swallows what follows it: where a later bracket
    closes one further out, or is indented as one further out is, the inner one was left open.
    """
    opened: list[Token] = []
    left_open: Token | None = None
    for token in tokenise(text):
        if token.kind != "mark":
            continue
        if token.text in PARTNERS:
            opened.append(token)
        elif token.text in OPENING:
            outer = [bracket for bracket in opened if bracket.text == OPENING[token.text]]
            if not outer:
                return token
            if opened[-1] is not outer[-1]:
                return opened[-1]
            if left_open is None and _closes_outer(text, token, outer):
                left_open = outer[-1]
            opened.pop()
    return left_open or opened[0] if opened else None


def _closes_outer(text: str, closing: Token, opened: list[Token]) -> bool:
    """Return whether the indentation of a closing bracket is that of an outer opening one."""
    depth = _indentation(text, closing.start)
    begins_line = not text[text.rfind("\n", 0, closing.start) + 1 : closing.start].strip()
    depths = [_indentation(text, bracket.start) for bracket in opened]
    return begins_line and depth != depths[-1] and depth in depths[:-1]


def _indentation(text: str, offset: int) -> int:
    line = text[text.rfind("\n", 0, offset) + 1 :]
    return len(line) - len(line.lstrip(" \t"))
