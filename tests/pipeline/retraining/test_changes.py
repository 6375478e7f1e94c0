"""What a training ran on that the training before did not."""

from __future__ import annotations

from typing import Any

from slipway.pipeline.retraining.changes import Change, training_changes


def stages(content: str) -> dict[str, Any]:
    """Two stages of dvc.lock: rows → frames → weights; ``content`` is a hash of each file."""

    def file(path: str) -> dict[str, Any]:
        return {"path": path, "md5": content * 32, "size": 8}

    return {
        "models/face/dvc.yaml:prepare": {"deps": [file("rows.csv")], "outs": [file("frames.zip")]},
        "models/face/dvc.yaml:train": {
            "deps": [file("frames.zip"), file("train.py"), file("../../libs/words.py")],
            "outs": [file("model.onnx")],
        },
    }


def test_what_one_stage_writes_for_another_is_an_output_and_no_data() -> None:
    changed = [
        (change.kind, change.what.split("`")[1])
        for change in training_changes(stages("a"), stages("b"))
    ]
    assert changed == [
        ("data", "models/face/rows.csv"),
        ("outputs", "models/face/frames.zip"),
        ("code", "libs/words.py"),
        ("code", "models/face/train.py"),
        ("outputs", "models/face/model.onnx"),
    ]
    assert training_changes(stages("a"), stages("a")) == []


def test_a_stage_that_never_ran_is_new() -> None:
    new = stages("a")
    changes = training_changes({}, {"models/face/dvc.yaml:train": new.popitem()[1]})
    assert Change("code", "the stage `train` is new") in changes
