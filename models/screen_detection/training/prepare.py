"""Stage: photographs → frames.zip, JPEG files named <photograph>/<number>_<document|screen>.jpg."""

import zipfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import photographs
import recapture
from params import HERE, Prepare, params

FRAMES = HERE / "frames.zip"


def frames_of(number_and_name: tuple[int, str]) -> list[tuple[str, bytes]]:
    """Every frame of one photograph, each pair from a seed of its own."""
    number, name = number_and_name
    settings = Prepare(**params("prepare"))
    photograph = photographs.load(name)
    ranges = recapture.Ranges(settings.pitch, settings.quality, settings.halftone)
    frames: list[tuple[str, bytes]] = []
    for index in range(settings.pairs):
        random = np.random.default_rng((settings.seed, number, index))
        width, height = settings.frames[int(random.integers(len(settings.frames)))]
        document, screen = recapture.pair(photograph, (width, height), ranges, random)
        frames.append((f"{name}/{index:03}_document.jpg", document))
        frames.append((f"{name}/{index:03}_screen.jpg", screen))
    return frames


def main(out: Path = FRAMES) -> None:
    with ProcessPoolExecutor() as pool, zipfile.ZipFile(out, "w") as archive:
        for frames in pool.map(frames_of, enumerate(photographs.FILES)):
            for name, data in frames:
                # a ZipInfo of its own: writestr would stamp it with the time of day
                archive.writestr(zipfile.ZipInfo(name), data)


if __name__ == "__main__":
    main()
