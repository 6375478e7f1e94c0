"""A training on this machine: real stages of DVC, in small repositories."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import slipway
from slipway.errors import SlipwayError
from slipway.training.run import load_run
from tests.training.repository import TRAIN, Checkout, make_repository, write_stages


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    return make_repository(tmp_path, monkeypatch)


def test_what_was_trained_is_in_the_checkout_and_recorded(repository: Checkout) -> None:
    run = repository.train()
    assert repository.ran() == ["prepare", "train", "measure"]
    assert [stage.source for stage in run.stages] == ["ran"] * 3
    assert run.metrics == {"test.size": 12}
    assert run.parameters == {"train.rounds": 3, "train.rate": 0.1, "train.name": "plain"}
    assert (repository.training / "model.bin").read_text() == "raw\n" * 3
    assert load_run(repository.root / "models" / "face") == run
    # DVC sees a repository as after its own repro, and the training of a commit is not dirty
    assert "up to date" in repository.dvc("status")
    assert not run.dirty and run.commit == repository.git("rev-parse", "HEAD")
    repository.commit("trained")
    repository.train({"train.rounds": "5"})
    shown = json.loads(repository.dvc("metrics", "diff", "--json"))
    changed = shown["models/face/training/metrics.json"]["test.size"]
    assert (changed["old"], changed["new"]) == (12, 20)


def test_another_machine_repeats_nothing_that_one_has_run(
    repository: Checkout, tmp_path: Path
) -> None:
    repository.train()
    repository.commit("trained")
    other = repository.clone(tmp_path / "other")
    repository.train({"train.rounds": "5"})
    repository.ran()
    # neither what is committed, without any of its outputs
    unchanged = other.train()
    assert {stage.source for stage in unchanged.stages} == {"unchanged"}
    # nor what is not: weights, cache: false outputs and metrics are pulled, and the frames, which
    # are nowhere else, are not needed
    run = other.train({"train.rounds": "5"})
    assert other.ran() == []
    assert [stage.source for stage in run.stages] == ["unchanged", "run cache", "run cache"]
    for file in ("training/model.bin", "training/categories.json", "training/metrics.json"):
        here, there = (c.root / "models" / "face" / file for c in (repository, other))
        assert here.read_bytes() == there.read_bytes()
    lock = "models/face/dvc.lock"
    assert (other.root / lock).read_bytes() == (repository.root / lock).read_bytes()


def test_a_remote_within_the_repository_makes_no_training_of_a_commit_dirty(
    repository: Checkout,
) -> None:
    repository.dvc("remote", "add", "--default", "--force", "within", "remote-of-samples")
    repository.commit("a remote within")
    run = repository.train()
    assert (repository.root / "remote-of-samples").is_dir()
    assert not run.dirty and run.commit == repository.git("rev-parse", "HEAD")


def test_a_changed_stage_whose_output_is_not_pushed_is_not_repeated_either(
    repository: Checkout, tmp_path: Path
) -> None:
    repository.train()
    repository.commit("trained")
    (repository.training / "raw.txt").write_text("other\n")
    repository.commit()
    other = repository.clone(tmp_path / "other")
    repository.train()
    repository.ran()
    run = other.train()
    assert other.ran() == [] and run.metrics == {"test.size": 18}
    assert [stage.source for stage in run.stages] == ["run cache"] * 3
    # until a stage that reads it really runs
    other.commit("trained")
    assert other.train({"train.rounds": "9"}).metrics == {"test.size": 54}
    assert other.ran() == ["prepare", "train", "measure"]


def test_dvc_itself_finds_the_runs_in_the_remote(repository: Checkout, tmp_path: Path) -> None:
    write_stages(repository, lambda text: text.replace(": {push: false}", ""))
    other = repository.clone(tmp_path / "other")
    repository.train()
    repository.ran()
    other.dvc("repro", "--pull", "models/face/dvc.yaml")
    assert other.ran() == []


def test_an_output_that_is_not_pushed_is_made_again_where_it_is_needed(
    repository: Checkout, tmp_path: Path
) -> None:
    repository.train()
    repository.commit("trained")
    other = repository.clone(tmp_path / "other")
    repository.ran()
    run = other.train({"train.rounds": "7"})
    assert other.ran() == ["prepare", "train", "measure"]
    assert run.metrics == {"test.size": 28}
    assert not list((tmp_path / "remote").rglob("*frames*"))


def test_an_unknown_parameter_is_refused_before_anything_runs(repository: Checkout) -> None:
    before = repository.state()
    with pytest.raises(SlipwayError, match="no stage depends on a parameter 'train.round'"):
        repository.train({"train.round": "5"})
    assert repository.state() == before and repository.ran() == []


def test_a_failed_stage_leaves_nothing_behind_and_its_output_is_quoted(
    repository: Checkout,
) -> None:
    repository.train()
    (repository.training / "train.py").write_text(TRAIN + "raise SystemExit('no rows left')\n")
    repository.commit()
    before = repository.state()
    with pytest.raises(SlipwayError, match="train failed.*exited with 1") as caught:
        repository.train({"train.rounds": "6"})
    assert "no rows left" in str(caught.value)
    assert repository.state() == before
    assert not any(Path(os.environ["SLIPWAY_CACHE"], "training-runs").glob("face-*/"))


def test_a_stage_that_changes_another_file_is_refused(repository: Checkout) -> None:
    (repository.training / "train.py").write_text(
        TRAIN + "open('../../slipway.toml', 'a').write('#')"
    )
    repository.commit()
    before = repository.state()
    with pytest.raises(SlipwayError, match=r"a stage has changed slipway\.toml"):
        repository.train()
    assert repository.state() == before


def test_a_new_file_that_is_no_output_is_not_kept_and_named(repository: Checkout) -> None:
    (repository.training / "train.py").write_text(TRAIN + "open('training/left.txt', 'w')\n")
    repository.commit()
    repository.train()
    assert not (repository.training / "left.txt").exists()
    assert any("left.txt" in line and "not kept" in line for line in repository.lines)


def test_a_file_that_was_edited_meanwhile_is_not_overwritten(repository: Checkout) -> None:
    metrics = repository.training / "metrics.json"
    metrics.write_text("{}")
    repository.commit()
    edit = f"open({str(metrics)!r}, 'w').write('mine')\n"
    (repository.training / "train.py").write_text(TRAIN + edit)
    repository.commit()
    with pytest.raises(SlipwayError, match="has changed while face was trained"):
        repository.train()
    assert metrics.read_text() == "mine"
    assert not (repository.root / "models/face/dvc.lock").exists()


def test_a_killed_training_leaves_nothing_behind_and_can_be_repeated(
    repository: Checkout, tmp_path: Path
) -> None:
    waiting = (
        TRAIN + "import os, time\nopen(os.environ['RAN'] + '.pid', 'w').write(str(os.getpid()))\n"
    )
    waiting += "while not os.path.exists(os.environ['RAN'] + '.go'): time.sleep(0.05)\n"
    (repository.training / "train.py").write_text(waiting)
    repository.commit()
    before = repository.state()
    process = subprocess.Popen(
        [sys.executable, "-m", "slipway", "train", "face"],
        cwd=repository.root,
        env=os.environ | {"PYTHONPATH": str(Path(slipway.__file__).parent.parent)},
        stdout=subprocess.DEVNULL,
    )
    pid = Path(os.environ["RAN"] + ".pid")
    while not (pid.exists() and pid.read_text()):
        assert process.poll() is None
        time.sleep(0.05)
    # another one of the model does not begin meanwhile
    with pytest.raises(SlipwayError, match="being trained already"):
        repository.train()
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert repository.state() == before
    # nor does the stage go on
    stage = Path(f"/proc/{int(pid.read_text())}")
    while stage.exists() and " Z " not in (stage / "stat").read_text():
        time.sleep(0.05)
    Path(os.environ["RAN"] + ".go").touch()
    repository.ran()
    run = repository.train()
    # what was through is not repeated
    assert repository.ran() == ["train", "measure"]
    assert [stage.source for stage in run.stages] == ["run cache", "ran", "ran"]


def test_force_runs_what_has_not_changed(repository: Checkout) -> None:
    repository.train()
    repository.commit("trained")
    repository.ran()
    repository.train(force=True)
    assert repository.ran() == ["prepare", "train", "measure"]


def test_a_model_without_stages_or_packages_is_refused(repository: Checkout) -> None:
    (repository.root / "models" / "plain").mkdir()
    with pytest.raises(SlipwayError, match="plain has no stages that train it"):
        repository.train(model="plain")
    (repository.training / "requirements.lock").unlink()
    with pytest.raises(SlipwayError, match="no locked packages") as caught:
        repository.train()
    assert "uv pip compile --generate-hashes" in str(caught.value.fix)


def test_data_that_differ_from_their_pointer_are_refused(repository: Checkout) -> None:
    repository.git("rm", "--quiet", "-r", "--cached", "models/face/training/rows")
    repository.dvc("add", "models/face/training/rows")
    repository.commit()
    (repository.training / "rows" / "a.csv").write_text("3,4\n")
    with pytest.raises(SlipwayError, match="differs from its pointer") as caught:
        repository.train()
    assert "dvc add" in str(caught.value.fix)
    repository.dvc("add", "models/face/training/rows")
    assert repository.train().metrics == {"test.size": 12}


def test_a_remote_that_cannot_be_written_to_is_reported(
    repository: Checkout, tmp_path: Path
) -> None:
    (tmp_path / "remote").rmdir()
    (tmp_path / "remote").write_text("no folder")
    run = repository.train()
    assert run.metrics == {"test.size": 12}
    assert any("not pushed to DVC's remote" in line for line in repository.lines)


SHARED = """stages:
  common:
    cmd: echo common >> $RAN && cp data/raw.txt data/common.bin
    deps: [data/raw.txt]
    outs: [data/common.bin]
  other_train:
    cmd: echo other >> $RAN && cp data/raw.txt models/other/training/model.bin
    deps: [data/raw.txt]
    outs: [models/other/training/model.bin]
"""


def test_a_stage_of_no_model_runs_for_those_that_need_it_and_one_of_another_does_not(
    repository: Checkout,
) -> None:
    (repository.root / "data").mkdir()
    (repository.root / "data" / "raw.txt").write_text("raw\n")
    other = repository.root / "models" / "other" / "training"
    other.mkdir(parents=True)
    (other / "requirements.lock").write_text("")
    (repository.root / "dvc.yaml").write_text(SHARED)
    rows = "training/rows]"
    write_stages(repository, lambda t: t.replace(rows, "../../data/common.bin, training/rows]"))
    run = repository.train()
    assert sorted(repository.ran()) == ["common", "measure", "prepare", "train"]
    assert (repository.root / "data" / "common.bin").read_text() == "raw\n"
    assert "common" in [stage.name for stage in run.stages]
    repository.commit("trained")
    # what another model makes, that model trains
    write_stages(
        repository, lambda t: t.replace(rows, "../other/training/model.bin, training/rows]")
    )
    with pytest.raises(SlipwayError, match="other_train, which the training needs") as caught:
        repository.train()
    assert caught.value.fix == "train other first"
    repository.ran()
    repository.train(model="other")
    assert repository.ran() == ["other"]
    repository.commit("trained")
    assert repository.train().metrics == {"test.size": 12}
    assert "other" not in repository.ran()
