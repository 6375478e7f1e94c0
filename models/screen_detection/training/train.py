"""Stage: frames of the training photographs → parameters.npz."""

import network
from dataset import load
from fit import fit
from params import HERE, Train, params
from photographs import FILES


def main() -> None:
    split = params("split")
    held_out = {*split["validation"], *split["test"]}
    frames = load().of([name for name in FILES if name not in held_out])
    network.save(fit(frames, Train(**params("train"))), HERE / "parameters.npz")


if __name__ == "__main__":
    main()
