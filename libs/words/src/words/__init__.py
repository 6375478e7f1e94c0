"""The words of a text: models that share this module cannot disagree about what a word is."""

import re
import unicodedata

WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


class Unreadable(Exception):
    """The bytes are no text; the message says why."""


def decode(data: bytes) -> str:
    """Return the text of UTF-8 bytes.

    Raises:
        Unreadable: they are not UTF-8.
    """
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable("the bytes are not UTF-8") from error


def split(text: str) -> list[str]:
    """Return the words of a text in their order, in lower case and in one Unicode form."""
    return WORD.findall(unicodedata.normalize("NFKC", text).casefold())
