"""An explanation as a page of one file: escaped, for phones and desktops, light and dark."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from slipway import templates
from slipway.explain.explanation import Explanation
from slipway.explain.recognise import open_picture
from slipway.explain.render.figure import LARGEST, draw, heat_picture
from slipway.explain.render.wording import how, number, shortened, signed, sum_line, title
from slipway.triton.datatypes import Array

FOLDER = Path(__file__).parent / "templates"
WIDEST = 1200  # pixels of a picture in the page


def render_page(explanation: Explanation, model: str, row: Mapping[str, Array]) -> str:
    """Return the page; equal for equal explanations."""
    parts = explanation.ranked
    longest = max((abs(part.contribution) for part in parts), default=0) or 1.0
    bars = [
        {
            "name": part.name,
            "value": shortened(part.value),
            "contribution": signed(part.contribution),
            "error": f"± {part.error:.2g}" if part.error else "",
            "share": round(50 * abs(part.contribution) / longest, 2),
            "raises": part.contribution >= 0,
        }
        for part in parts
    ]
    values: dict[str, Any] = {
        "title": title(explanation, model),
        "model": model,
        "kind": explanation.kind,
        "score": explanation.score,
        "answer": number(explanation.answer),
        "label": explanation.label,
        "sum": sum_line(explanation),
        "how": how(explanation),
        "statements": explanation.statements,
        "bars": bars,
        "words": _words(explanation, row, longest),
        **_pictures(explanation, model, row),
    }
    return templates.environment(FOLDER).get_template("explanation.html.j2").render(values)


def _words(
    explanation: Explanation, row: Mapping[str, Array], longest: float
) -> list[dict[str, Any]]:
    """Return the text in pieces, each with the strength of its mark in percent."""
    if explanation.kind != "text":
        return []
    content = row[explanation.input].ravel()[0]
    text = content.decode(errors="replace") if isinstance(content, bytes) else str(content)
    pieces: list[dict[str, Any]] = []
    end = 0
    for part in explanation.parts:
        first, last = part.place
        pieces.append({"text": text[end:first], "share": 0})
        pieces.append(
            {
                "text": text[first:last],
                "share": round(100 * abs(part.contribution) / longest),
                "raises": part.contribution >= 0,
                "contribution": signed(part.contribution),
            }
        )
        end = last
    return [*pieces, {"text": text[end:], "share": 0}]


def _pictures(explanation: Explanation, model: str, row: Mapping[str, Array]) -> dict[str, str]:
    """Return the picture and its heat map as data, or the drawing of a recording."""
    if explanation.kind == "audio":
        return {"picture": "", "heat": "", "drawing": _data(draw(explanation, model, row, "png"))}
    if explanation.kind != "image":
        return {"picture": "", "heat": "", "drawing": ""}
    from PIL import Image

    shown = Image.fromarray(open_picture(row, explanation.input, "image", LARGEST).shown())
    if shown.width < 100:
        sharp = Image.Resampling.NEAREST
        shown = shown.resize((400, round(400 * shown.height / shown.width)), sharp)
    shown.thumbnail((WIDEST, WIDEST))
    return {
        "picture": _data(_png(np.asarray(shown))),
        "heat": _data(_png(heat_picture(explanation, shown.width))),
        "drawing": "",
    }


def _png(pixels: Array) -> bytes:
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", optimize=True)
    return stream.getvalue()


def _data(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode()
