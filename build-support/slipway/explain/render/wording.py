"""The sentences that every form of an explanation has."""

from __future__ import annotations

import unicodedata

from slipway.explain.explanation import Explanation

# marks that change the direction of what follows
TURNING = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"

METHODS = {
    "shapley": "Shapley values",
    "occlusion": "occlusion",
    "server": "contributions of the model itself",
}


def title(explanation: Explanation, model: str) -> str:
    """Return what was answered: ``fares: probability[1] is 0.876 (survived)``."""
    label = f" ({shortened(explanation.label)})" if explanation.label else ""
    return f"{visible(model)}: {visible(explanation.score)} is {number(explanation.answer)}{label}"


def sum_line(explanation: Explanation) -> str:
    """Return the sum that the contributions are a part of; "" where they do not add up."""
    if not explanation.adds_up:
        return ""
    total = explanation.answer - explanation.base
    sign = "+" if total >= 0 else "−"
    return (
        f"{number(explanation.base)} without any part {sign} {number(abs(total))} ="
        f" {number(explanation.answer)}"
    )


def how(explanation: Explanation) -> str:
    """Return the method, its cost, and the error of the estimate."""
    if explanation.method == "shapley":
        error = f"standard error at most {explanation.largest_error:.2g}"
        precision = "exact: every combination was asked" if explanation.is_exact else error
    else:
        precision = ""
    asked = f"{explanation.rows:,} rows in {explanation.requests:,} requests"
    parts = [METHODS[explanation.method], precision, asked, f"seed {explanation.seed}"]
    return ", ".join(part for part in parts if part)


def shortened(text: str, most: int = 60) -> str:
    """Return at most ``most`` characters of a text, on one line."""
    line = " ".join(visible(text).split())
    return line if len(line) <= most else line[: most - 1] + "…"


def visible(text: str) -> str:
    """Return a text of the same length in which nothing commands a terminal or turns its lines."""
    return "".join(
        "\ufffd" if c not in "\n\t" and (unicodedata.category(c) == "Cc" or c in TURNING) else c
        for c in text
    )


def number(value: float) -> str:
    """Return a number with up to five digits."""
    return f"{value:.5g}"


def signed(value: float) -> str:
    """Return a contribution with its sign, with four decimals unless it is tiny or huge."""
    if abs(value) < 1e-12:
        return "0"  # or the rounding of sums
    return f"{value:+.4f}" if 1e-3 <= abs(value) < 1000 else f"{value:+.2g}"
