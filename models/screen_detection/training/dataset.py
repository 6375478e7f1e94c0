"""frames.zip as arrays, read through the same function that serves."""

import sys
import zipfile
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from params import HERE, MODEL
from photographs import FILES

sys.path.insert(0, str(MODEL / "screen_detection_preprocessing" / "1"))
import pixels  # noqa: E402


@dataclass(frozen=True)
class Frames:
    """squares: UINT8 [n, SIDE, SIDE, 3]; screen: bool [n]; photograph: the name of each."""

    squares: npt.NDArray[np.uint8]
    screen: npt.NDArray[np.bool_]
    photograph: npt.NDArray[np.str_]

    def of(self, names: Collection[str]) -> "Frames":
        """Those made from the named photographs."""
        unknown = set(names) - set(FILES)
        if unknown:
            raise ValueError(f"params.yaml names no photograph of ours: {sorted(unknown)}")
        chosen = np.isin(self.photograph, list(names))
        return Frames(self.squares[chosen], self.screen[chosen], self.photograph[chosen])


def load() -> Frames:
    """All frames, in the archive's order."""
    with zipfile.ZipFile(HERE / "frames.zip") as archive, ThreadPoolExecutor() as pool:
        names = archive.namelist()
        squares = np.stack(list(pool.map(pixels.square, map(archive.read, names))))
    return Frames(
        squares=squares,
        screen=np.array([name.endswith("_screen.jpg") for name in names]),
        photograph=np.array([name.partition("/")[0] for name in names]),
    )
