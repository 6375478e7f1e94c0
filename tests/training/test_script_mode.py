"""A script that was written for SageMaker is a stage as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.disk import DiskError
from slipway.errors import SlipwayError
from tests.training.repository import Checkout, make_repository, write_stages

SCRIPT = """import argparse, json, os

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=os.environ["SM_HP_TRAIN_ROUNDS"])
    parser.add_argument("--output-data-dir", default=os.environ["SM_OUTPUT_DATA_DIR"])
    parser.add_argument("--model-dir", default=os.environ["SM_MODEL_DIR"])
    parser.add_argument("--rows", default=os.environ["SM_CHANNEL_ROWS"])
    args = parser.parse_args()
    rows = [open(os.path.join(args.rows, name)).read() for name in os.listdir(args.rows)]
    with open(os.path.join(args.model_dir, "model.txt"), "w") as file:
        file.write("".join(rows) * args.rounds)
    with open(os.path.join(args.output_data_dir, "metrics.json"), "w") as file:
        json.dump({"cpus": int(os.environ["SM_NUM_CPUS"]) > 0, "rounds": args.rounds}, file)
"""
STAGES = """stages:
  train:
    cmd: echo train >> $RAN && python training/train.py
    deps: [training/train.py, training/rows]
    params: [training/params.yaml: [train]]
    outs: [training/model]
    metrics: [training/output/metrics.json: {cache: false}]
"""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    made = make_repository(tmp_path, monkeypatch)
    (made.training / "train.py").write_text(SCRIPT)
    (made.root / "models" / "face" / "training.toml").write_text("")
    write_stages(made, lambda _: STAGES)
    return made


def test_a_script_for_sagemaker_runs_as_a_stage(repository: Checkout, tmp_path: Path) -> None:
    run = repository.train({"train.rounds": "2"})
    assert (repository.training / "model" / "model.txt").read_text() == "1,2\n" * 2
    assert run.metrics == {"cpus": 1, "rounds": 2}
    assert "up to date" in repository.dvc("status")
    # its folder is DVC's, which git ignores from now on, and another machine pulls it
    assert "/model" in (repository.training / ".gitignore").read_text()
    other = repository.clone(tmp_path / "other")
    repository.ran()
    assert other.train({"train.rounds": "2"}).metrics == run.metrics
    assert other.ran() == []
    assert (other.training / "model" / "model.txt").read_text() == "1,2\n" * 2


def test_a_model_that_no_stage_names_is_refused(repository: Checkout) -> None:
    write_stages(repository, lambda text: text.replace("    outs: [training/model]\n", ""))
    before = repository.state()
    with pytest.raises(SlipwayError, match="wrote model.txt to SM_MODEL_DIR") as caught:
        repository.train()
    assert str(caught.value.fix) == "add training/model to its outs"
    assert repository.state() == before
    write_stages(
        repository,
        lambda text: text.replace("    metrics:", "    outs: [training/model]\n    metrics:"),
    )
    assert repository.train().metrics["rounds"] == 3


def test_a_full_disk_is_named_and_leaves_nothing_behind(repository: Checkout) -> None:
    full = (
        "import errno, os\nraise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), '/big/model')\n"
    )
    (repository.training / "train.py").write_text(full)
    repository.commit()
    before = repository.state()
    with pytest.raises(DiskError, match="No space left on device") as caught:
        repository.train()
    assert "/big" in str(caught.value)
    assert repository.state() == before
