"""Of which type a file is, by its content: the graph of Magika."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from slipway.scaffold.prebuilt.prebuilt import Files, Prebuilt

MODEL = "magika/models/standard_v3_3"
TYPES = "magika/config/content_types_kb.min.json"


def _files(package: Path) -> Files:
    config = json.loads((package / MODEL / "config.min.json").read_text(encoding="utf-8"))
    known = json.loads((package / TYPES).read_text(encoding="utf-8"))
    return Files(
        weights={"inferencer/1/model.onnx": (package / MODEL / "model.onnx").read_bytes()},
        data={
            "preprocessing/1/features.json": _json(_features(config)),
            "postprocessing/1/types.json": _json(_types(config, known)),
        },
    )


def _features(config: dict[str, Any]) -> dict[str, int]:
    """Return the numbers by which a file becomes the network's input."""
    return {
        "begin": config["beg_size"],
        "end": config["end_size"],
        "block": config["block_size"],
        "padding": config["padding_token"],
        "fewest": config["min_file_size_for_dl"],
    }


def _types(config: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    """Return the labels in the order of the network's outputs, and what is known of each type."""
    labels = config["target_labels_space"]
    answered = sorted({*labels, *config["overwrite_map"].values(), "txt", "unknown", "empty"})
    return {
        "labels": labels,
        "thresholds": config["thresholds"],
        "threshold": config["medium_confidence_threshold"],
        "overwrite": config["overwrite_map"],
        "mime": {label: known[label]["mime_type"] or _generic(known[label]) for label in answered},
        "text": [label for label in answered if known[label]["is_text"]],
    }


def _generic(kind: dict[str, Any]) -> str:
    return "text/plain" if kind["is_text"] else "application/octet-stream"


def _json(content: dict[str, Any]) -> bytes:
    return (json.dumps(content, indent=1) + "\n").encode()


KIND = Prebuilt(
    name="file-type",
    about="the bytes of a file → its type, by content (Magika)",
    files=_files,
)
