"""The photographs that ship inside the scikit-image and scikit-learn wheels; nothing is downloaded."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import skimage
import sklearn  # type: ignore[import-untyped]
from PIL import Image

SKIMAGE = Path(skimage.__file__).parent / "data"
SKLEARN = Path(sklearn.__file__).parent / "datasets" / "images"

# one entry a photograph; drawings, masks and the second half of the stereo pair are left out
FILES: dict[str, Path] = {
    **{
        name.partition(".")[0]: SKIMAGE / name
        for name in (
            "astronaut.png",
            "brick.png",
            "camera.png",
            "cell.png",
            "chelsea.png",
            "clock_motion.png",
            "coffee.png",
            "coins.png",
            "grass.png",
            "gravel.png",
            "hubble_deep_field.jpg",
            "ihc.png",
            "moon.png",
            "motorcycle_left.png",
            "page.png",
            "retina.jpg",
            "rocket.jpg",
            "text.png",
        )
    },
    "china": SKLEARN / "china.jpg",
    "flower": SKLEARN / "flower.jpg",
}


def load(name: str) -> npt.NDArray[np.uint8]:
    """The photograph as UINT8 [height, width, 3], RGB."""
    with Image.open(FILES[name]) as image:
        return np.asarray(image.convert("RGB"))
