"""Stage: the same training with other photographs left out each time → cross_validation.json."""

import network
import numpy as np
from dataset import load
from evaluate import write
from fit import fit
from params import HERE, Train, params
from photographs import FILES
from sklearn.metrics import roc_auc_score  # type: ignore[import-untyped]


def main() -> None:
    frames, settings = load(), Train(**params("train"))
    order = np.random.default_rng(settings.seed).permutation(list(FILES))
    folds: list[dict[str, object]] = []
    aucs: list[float] = []
    for left_out in np.array_split(order, params("cross_validate")["folds"]):
        kept = [name for name in FILES if name not in left_out]
        unseen = frames.of(left_out.tolist())
        scores = network.scores(fit(frames.of(kept), settings), unseen.squares)
        aucs.append(float(roc_auc_score(unseen.screen, scores)))
        folds.append({"left_out": sorted(left_out.tolist()), "auc": round(aucs[-1], 4)})
    write(
        HERE / "cross_validation.json",
        {
            "auc_mean": round(float(np.mean(aucs)), 4),
            "auc_lowest": round(min(aucs), 4),
            "folds": folds,
        },
    )


if __name__ == "__main__":
    main()
