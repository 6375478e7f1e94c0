"""An explanation as a picture: a heat map over the image, bars of a row, a text with its words."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from slipway.explain.explanation import Explanation
from slipway.explain.recognise import open_picture
from slipway.explain.render.wording import how, shortened, signed, sum_line, title, visible
from slipway.figure_file import PIXELS_PER_INCH, equal_bytes, metadata_of
from slipway.triton.datatypes import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# red raises the score, blue lowers it, as in shap; colour-blind readers tell them apart
RAISES, LOWERS, INK, SOFT = "#b2182b", "#2166ac", "#1c2330", "#5b6577"
MOST_BARS = 15
CHARACTERS = 108  # of a line of text, at its size and the width of the picture
LARGEST = 2**31


def draw(explanation: Explanation, model: str, row: Mapping[str, Array], format: str) -> bytes:
    """Return the picture of an explanation of ``row`` as ``png`` or ``svg``."""
    from matplotlib.figure import Figure

    draws = {"image": _image, "audio": _audio, "text": _text, "row": _row}
    with equal_bytes(font_size=9):
        figure = Figure(layout="constrained", facecolor="white")
        draws[explanation.kind](figure, explanation, row)
        head = shortened(title(explanation, model), 90)
        figure.suptitle(plain(head), fontsize=11, color=INK, ha="left", x=0.01)
        foot = [sum_line(explanation), how(explanation)]
        figure.supxlabel(
            plain("\n".join(line for line in foot if line)),
            fontsize=8,
            color=SOFT,
            ha="left",
            x=0.01,
        )
        return saved(figure, format)


def saved(figure: Figure, format: str) -> bytes:
    """Return a figure as ``png`` or ``svg``, with no date in it."""
    stream = io.BytesIO()
    with warnings.catch_warnings():
        # of a script that its font lacks: the sign is drawn as a box
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure.savefig(stream, format=format, dpi=PIXELS_PER_INCH, metadata=metadata_of(format))
    return stream.getvalue()


def heat_picture(explanation: Explanation, width: int) -> Array:
    """Return the heat map as RGBA, uint8, ``width`` pixels wide: no heat is transparent."""
    from PIL import Image

    heat = np.array(explanation.heat, dtype=np.float32)
    height = max(1, round(width * explanation.size[1] / explanation.size[0]))
    smooth = np.asarray(Image.fromarray(heat).resize((width, height), Image.Resampling.BILINEAR))
    share = np.clip(smooth / (abs(heat).max() or 1.0), -1, 1)
    colours = np.zeros((height, width, 4), dtype=np.uint8)
    for sign, colour in ((1, RAISES), (-1, LOWERS)):
        colours[share * sign > 0, :3] = tuple(bytes.fromhex(colour[1:]))
    colours[:, :, 3] = (np.abs(share) ** 0.8 * 200).astype(np.uint8)
    return colours


def _image(figure: Figure, explanation: Explanation, row: Mapping[str, Array]) -> None:
    picture = open_picture(row, explanation.input, "image", LARGEST)
    shown = picture.shown()
    width, height = picture.size
    figure.set_size_inches(8.6, min(8, max(2.6, 3.5 * height / width)) + 1.0)
    left, right = figure.subplots(1, 2)
    grey = shown.mean(axis=2, keepdims=True).repeat(3, axis=2) * 0.4 + 255 * 0.6
    # drawn over the size of the picture itself, so that pixels of a small one stay square
    extent = (0, width, height, 0)
    sharp = "nearest" if width < 100 else "antialiased"
    left.imshow(shown, extent=extent, interpolation=sharp)
    left.set_title("the picture", color=SOFT, fontsize=9)
    right.imshow(grey.astype(np.uint8), extent=extent, interpolation=sharp)
    right.imshow(heat_picture(explanation, max(width, 400)), extent=extent)
    right.set_title("what the answer rests on", color=SOFT, fontsize=9)
    for axes in (left, right):
        axes.set_axis_off()
    _colour_bar(figure, right, explanation)


def _colour_bar(figure: Figure, axes: Axes, explanation: Explanation) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LinearSegmentedColormap, Normalize

    highest = float(abs(np.array(explanation.heat)).max()) or 1.0
    colours = LinearSegmentedColormap.from_list("heat", [LOWERS, "#ffffff", RAISES])
    scale = ScalarMappable(Normalize(-highest, highest), colours)
    bar = figure.colorbar(scale, ax=axes, shrink=0.8, ticks=[-highest, 0, highest])
    bar.ax.set_yticklabels([signed(-highest), "0", signed(highest)])
    verb = "adds to" if explanation.adds_up else "holds of"
    bar.set_label(f"what a place {verb} the score", color=SOFT, fontsize=8)


def _audio(figure: Figure, explanation: Explanation, row: Mapping[str, Array]) -> None:
    samples = row[explanation.input].ravel().astype(np.float64)
    figure.set_size_inches(8.6, 3.2)
    wave, heat = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    step = max(1, len(samples) // 4000)
    kept = samples[: len(samples) // step * step].reshape(-1, step)
    places = np.arange(len(kept)) * step
    wave.fill_between(places, kept.min(axis=1), kept.max(axis=1), color=SOFT, linewidth=0.5)
    wave.set_yticks([])
    values = np.array(explanation.heat)[0]
    edges = np.linspace(0, len(samples), len(values) + 1)
    colours = [RAISES if value >= 0 else LOWERS for value in values]
    heat.bar(edges[:-1], values, width=np.diff(edges), align="edge", color=colours)
    heat.axhline(0, color=INK, linewidth=0.6)
    heat.set_xlim(0, len(samples))
    heat.set_xlabel("sample")
    heat.set_ylabel("holds of the score", fontsize=8)


def _row(figure: Figure, explanation: Explanation, row: Mapping[str, Array]) -> None:
    shown = list(explanation.ranked[:MOST_BARS])
    rest = explanation.ranked[MOST_BARS:]
    names = [plain(f"{shortened(part.name, 30)} = {shortened(part.value, 24)}") for part in shown]
    values = [part.contribution for part in shown]
    errors = [part.error for part in shown]
    if rest:
        names.append(f"{len(rest)} others")
        values.append(sum(part.contribution for part in rest))
        errors.append(0.0)
    figure.set_size_inches(8.6, 1.4 + 0.27 * len(names))
    axes = figure.subplots()
    places = np.arange(len(names))[::-1]
    colours = [RAISES if value >= 0 else LOWERS for value in values]
    axes.barh(places, values, xerr=errors if any(errors) else None, color=colours, ecolor=SOFT)
    axes.axvline(0, color=INK, linewidth=0.8)
    longest = max(map(abs, values)) or 1.0
    for place, value, error in zip(places, values, errors, strict=True):
        beyond = abs(value) + error + longest * 0.02
        axes.text(
            beyond if value >= 0 else -beyond,
            place,
            signed(value),
            va="center",
            ha="left" if value >= 0 else "right",
            fontsize=8,
            color=SOFT,
        )
    axes.set_yticks(places, names)
    axes.margins(x=0.18, y=0.01)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.set_xlabel(f"what a column adds to {plain(explanation.score)}", fontsize=8)


def _text(figure: Figure, explanation: Explanation, row: Mapping[str, Array]) -> None:
    """Draw the words line by line, each on a ground of the colour of its contribution."""
    content = row[explanation.input].ravel()[0]
    text = visible(content.decode(errors="replace") if isinstance(content, bytes) else str(content))
    lines = _wrapped(explanation, text, CHARACTERS)
    figure.set_size_inches(8.6, 1.3 + 0.3 * len(lines))
    axes = figure.subplots()
    axes.set_axis_off()
    axes.set_xlim(0, CHARACTERS)
    axes.set_ylim(len(lines), 0)
    longest = max((abs(part.contribution) for part in explanation.parts), default=0) or 1.0
    for number, line in enumerate(lines):
        for column, piece, contribution in line:
            share = abs(contribution) / longest
            colour = RAISES if contribution > 0 else LOWERS
            ink = "white" if share > 0.6 else INK
            ground = {"facecolor": colour, "alpha": share, "edgecolor": "none", "pad": 1.2}
            axes.text(
                column,
                number + 0.5,
                plain(piece),
                family="monospace",
                fontsize=9,
                va="center",
                color=ink,
                bbox=ground if share > 0.03 else None,
            )


def _wrapped(explanation: Explanation, text: str, width: int) -> list[list[tuple[int, str, float]]]:
    """Return lines of (column, piece, contribution), at most ``width`` characters each."""
    lines: list[list[tuple[int, str, float]]] = [[]]
    column = end = 0
    for part in explanation.parts:
        first, last = part.place
        gap = text[end:first]
        piece = " ".join(text[first:last].split())
        column += len(gap) if gap.isspace() or not gap else len(gap) + 1
        if "\n" in gap or (column + len(piece) > width and column):
            lines.append([])
            column = 0
        for start in range(0, len(piece), width):
            cut = piece[start : start + width]
            if start:
                lines.append([])
                column = 0
            lines[-1].append((column, cut, part.contribution))
            column += len(cut)
        end = last
    return lines


def plain(text: str) -> str:
    """Return a text in which matplotlib sees no mathematics."""
    return text.replace("$", r"\$")
