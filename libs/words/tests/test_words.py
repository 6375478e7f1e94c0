"""What a word is."""

import pytest
import words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It was good, wasn't it?", ["it", "was", "good", "wasn't", "it"]),
        ("STRASSE and straße", ["strasse", "and", "strasse"]),
        ("ﬁne\u00a0print", ["fine", "print"]),
        ("snake_case 3 apples", ["snake", "case", "3", "apples"]),
        ("… — !", []),
    ],
)
def test_words_are_the_same_in_every_spelling(text: str, expected: list[str]) -> None:
    assert words.split(text) == expected


def test_bytes_that_are_no_text_are_refused() -> None:
    assert words.decode("é".encode()) == "é"
    with pytest.raises(words.Unreadable, match="not UTF-8"):
        words.decode(b"caf\xe9")
