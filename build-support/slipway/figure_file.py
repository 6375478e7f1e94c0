"""Files that matplotlib draws: their names, and equal bytes for equal figures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from slipway.errors import SlipwayError
from slipway.files import atomic_write

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENDINGS = {".svg", ".png"}
PIXELS_PER_INCH = 150


def check_figure_file(path: Path, usual: str) -> None:
    """Check a file's name before anything is measured or read; ``usual`` is one without its
    ending.

    Raises:
        SlipwayError: it ends neither with .svg nor .png, or its folder does not exist.
    """
    if path.suffix.lower() not in ENDINGS:
        raise SlipwayError(
            f"no picture of the kind {path.suffix or 'without an ending'}",
            where=str(path),
            fix=f"--output {path.stem or usual}.svg, or .png",
        )
    if not path.parent.is_dir():
        raise SlipwayError("no such folder", where=str(path.parent), fix="create it first")


@contextmanager
def figure_file(path: Path, inches: tuple[float, float]) -> Iterator[Figure]:
    """Yield an empty figure, which is in ``path`` when the block ends, in the format of its
    suffix."""
    from matplotlib.figure import Figure  # without pyplot there is no window, and no global state

    format = path.suffix.lower().lstrip(".")
    with equal_bytes():
        figure = Figure(figsize=inches, layout="constrained")
        yield figure
        with atomic_write(path) as temporary:
            figure.savefig(
                temporary, dpi=PIXELS_PER_INCH, metadata=metadata_of(format), format=format
            )


def equal_bytes(font_size: float = 10) -> AbstractContextManager[None]:
    """Return a context in which equal figures are drawn as equal bytes; its font is so many points
    large."""
    import matplotlib

    return matplotlib.rc_context(
        {"svg.hashsalt": "slipway", "svg.fonttype": "none", "font.size": font_size}
    )


def metadata_of(format: str) -> dict[str, None]:
    """Return what a file says of itself: not when it was drawn, nor with which version."""
    return {"Date": None} if format == "svg" else {"Software": None}
