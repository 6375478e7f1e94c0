"""Stage: parameters.npz → the calibrated threshold, metrics.json and roc.json.

The threshold comes from the validation photographs; the metrics and the curve from the test
photographs, which neither training nor calibration has seen.
"""

import json
from pathlib import Path

import network
import numpy as np
from dataset import Frames, load
from params import HERE, MODEL, params
from sklearn.metrics import roc_auc_score, roc_curve  # type: ignore[import-untyped]

THRESHOLD = MODEL / "folded" / "screen_detection_postprocessing" / "1" / "threshold.json"
POINTS = 200


def threshold_at(scores: np.ndarray, false_positive_rate: float) -> float:
    """The score that this share of the given documents' scores reaches, in 0.05–0.95."""
    return float(np.clip(np.quantile(scores, 1 - false_positive_rate), 0.05, 0.95))


def summary(frames: Frames, scores: np.ndarray, threshold: float) -> dict[str, object]:
    """AUC, accuracy and the two errors at the threshold; AUC by photograph."""
    called = scores >= threshold
    by_photograph = {
        str(name): round(
            float(
                roc_auc_score(
                    frames.screen[frames.photograph == name], scores[frames.photograph == name]
                )
            ),
            4,
        )
        for name in np.unique(frames.photograph)
    }
    return {
        "auc": round(float(roc_auc_score(frames.screen, scores)), 4),
        "accuracy": round(float((called == frames.screen).mean()), 4),
        "false_positive_rate": round(float(called[~frames.screen].mean()), 4),
        "true_positive_rate": round(float(called[frames.screen].mean()), 4),
        "frames": len(scores),
        "auc_by_photograph": by_photograph,
    }


def write(path: Path, value: object) -> None:
    """As JSON that reads well in a diff."""
    path.write_text(json.dumps(value, indent=2) + "\n")


def main() -> None:
    split, rate = params("split"), params("calibrate")["false_positive_rate"]
    parameters, frames = network.read(HERE / "parameters.npz"), load()
    validation, test = frames.of(split["validation"]), frames.of(split["test"])
    on_validation = network.scores(parameters, validation.squares)
    on_test = network.scores(parameters, test.squares)
    threshold = round(threshold_at(on_validation[~validation.screen], rate), 4)
    write(THRESHOLD, {"threshold": threshold, "validation_false_positive_rate": rate})
    write(
        HERE / "metrics.json",
        {
            "test": summary(test, on_test, threshold),
            "validation": summary(validation, on_validation, threshold),
        },
    )
    false, true, _ = roc_curve(test.screen, on_test)
    at = np.unique(np.linspace(0, len(false) - 1, POINTS).astype(int))
    points = [
        {"false_positive_rate": round(float(f), 4), "true_positive_rate": round(float(t), 4)}
        for f, t in zip(false[at], true[at], strict=True)
    ]
    write(HERE / "roc.json", {"roc": points})


if __name__ == "__main__":
    main()
