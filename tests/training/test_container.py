"""The steps of a training in SageMaker's folders, against the same training on this machine."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

import slipway
from slipway.errors import SlipwayError
from slipway.training.container.evaluate import evaluate
from slipway.training.container.folders import ContainerFolders
from slipway.training.container.train import train
from slipway.training.results import apply_results, read_results
from slipway.training.run import TrainingRun
from tests.training.repository import TRAIN, Checkout, make_repository, write_stages

HOST = {"current_host": "algo-1", "hosts": ["algo-1"], "current_instance_type": "ml.m5.large"}
KEPT = ("dvc.lock", "training/categories.json", "training/metrics.json", "training/params.yaml")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    return make_repository(tmp_path, monkeypatch)


def job(repository: Checkout, base: Path, **values: str) -> tuple[Path, ContainerFolders]:
    """Lay out a training job as SageMaker does; return the unpacked code, and the folders."""
    folders = ContainerFolders(base)
    config = base / "input" / "config"
    for folder in (config, folders.model, folders.checkpoints, base / "output"):
        folder.mkdir(parents=True)
    values_of_job = {"model": "face", "run": "face-20261201T000000Z-0a1b2c", **values}
    files: Mapping[str, object] = {
        "hyperparameters": values_of_job,
        "inputdataconfig": {"code": {"TrainingInputMode": "File"}},
        "resourceconfig": HOST,
    }
    for name, content in files.items():
        (config / f"{name}.json").write_text(json.dumps(content))
    return unpack(repository, base.with_name(f"{base.name}-work")), folders


def unpack(repository: Checkout, work: Path) -> Path:
    """Unpack the commit's files, without git."""
    work.mkdir()
    archive = subprocess.run(
        ["git", "archive", "HEAD"], cwd=repository.root, check=True, capture_output=True
    ).stdout
    subprocess.run(["tar", "-x", "-C", str(work)], input=archive, check=True)
    return work


def hand_over(folders: ContainerFolders, base: Path) -> ContainerFolders:
    """Pack what a training job left, and lay out the processing job that follows."""
    following = ContainerFolders(base)
    model = following.processing_input("model")
    model.mkdir(parents=True)
    following.processing_output.mkdir(parents=True)
    with tarfile.open(model / "model.tar.gz", "w:gz") as tar:
        for path in sorted(folders.model.iterdir()):
            tar.add(path, path.name)
    return following


def test_a_job_and_this_machine_make_equal_bytes(repository: Checkout, tmp_path: Path) -> None:
    commit = repository.git("rev-parse", "HEAD")
    work, folders = job(
        repository, tmp_path / "ml", commit=commit, image="sha256:1f", **{"set.train.rounds": "4"}
    )
    trained = train(work=work, folders=folders)
    assert repository.ran() == ["prepare", "train"]
    assert (trained.place, trained.commit, trained.image) == ("sagemaker", commit, "sha256:1f")
    following = hand_over(folders, tmp_path / "processing")
    values = folders.hyperparameters()
    measured = evaluate(
        values, work=unpack(repository, tmp_path / "processing-work"), folders=following
    )
    # the weights come from DVC's remote, and nothing is trained twice
    assert repository.ran() == ["measure"]
    assert measured.metrics == {"test.size": 16}
    assert [stage.source for stage in measured.stages] == ["ran"] * 3
    assert read_results(following.processing_output) == measured

    # the same here, on a machine that knows of no run
    here = repository.clone(tmp_path / "other")
    shutil.move(tmp_path / "remote", tmp_path / "remote-of-the-job")
    (tmp_path / "remote").mkdir()
    local = here.train({"train.rounds": "4"})
    assert here.ran() == ["prepare", "train", "measure"]
    assert (local.stages, local.parameters) == (measured.stages, measured.parameters)
    shutil.rmtree(tmp_path / "remote")
    shutil.move(tmp_path / "remote-of-the-job", tmp_path / "remote")
    taken = apply_results(following.processing_output, repository.root, fetch=True)
    assert taken == sorted([f"models/face/{name}" for name in (*KEPT, "training/run.json")])
    for name in (*KEPT, "training/model.bin"):
        one, other = (c.root / "models" / "face" / name for c in (repository, here))
        assert one.read_bytes() == other.read_bytes(), name


def test_a_failed_job_says_why_where_sagemaker_reads_it(
    repository: Checkout, tmp_path: Path
) -> None:
    (repository.training / "train.py").write_text("raise SystemExit('no rows left')\n")
    repository.commit()
    work, folders = job(repository, tmp_path / "ml")
    with pytest.raises(SlipwayError):
        train(work=work, folders=folders)
    failure = (tmp_path / "ml" / "output" / "failure").read_text()
    assert "no rows left" in failure and len(failure) <= 1024
    assert not list(folders.model.iterdir())


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"run": ""}, "no value 'run'"),
        ({"model": "gone"}, "gone has no stages"),
        ({"place": "moon"}, "place is 'moon'"),
        ({"set.train.round": "1"}, "no stage depends on a parameter 'train.round'"),
    ],
)
def test_a_job_that_slipway_did_not_write_is_refused(
    repository: Checkout, tmp_path: Path, values: dict[str, str], message: str
) -> None:
    work, folders = job(repository, tmp_path / "ml", **values)
    with pytest.raises(SlipwayError, match=message):
        train(work=work, folders=folders)
    assert message in (tmp_path / "ml" / "output" / "failure").read_text()


def test_a_remote_that_a_job_cannot_reach_is_refused(repository: Checkout, tmp_path: Path) -> None:
    work, folders = job(repository, tmp_path / "ml")
    (tmp_path / "remote").rmdir()
    with pytest.raises(SlipwayError, match="DVC's remote 'there'") as caught:
        train(work=work, folders=folders)
    assert "s3://" in str(caught.value.fix)


CHECKPOINTED = """import os, time
from pathlib import Path
done = Path(os.environ["SLIPWAY_CHECKPOINT_DIR"], "rounds")
first = int(done.read_text()) if done.exists() else 0
print("begins at round", first, flush=True)
for number in range(first, 4):
    done.write_text(str(number + 1))
    while number == 2 and not first:
        time.sleep(0.05)
"""


def test_a_job_that_was_interrupted_continues_from_its_checkpoint(
    repository: Checkout, tmp_path: Path
) -> None:
    (repository.training / "train.py").write_text(CHECKPOINTED + TRAIN)
    repository.commit()
    work, folders = job(repository, tmp_path / "ml")
    step = "from slipway.training.container.train import train; train()"
    environment = os.environ | {
        "PYTHONPATH": str(Path(slipway.__file__).parent.parent),
        "SAGEMAKER_BASE_DIR": str(folders.base),
    }
    started = subprocess.Popen(
        [sys.executable, "-c", step], cwd=work, env=environment, stdout=subprocess.PIPE, text=True
    )
    while not [p for p in folders.checkpoints.rglob("rounds") if p.read_text() == "3"]:
        assert started.poll() is None
        time.sleep(0.05)
    started.send_signal(signal.SIGTERM)  # spot: the instance is taken back
    assert started.wait() == 143
    assert "SIGTERM" in (tmp_path / "ml" / "output" / "failure").read_text()
    # SageMaker starts it again, elsewhere: what was through is pulled
    repository.ran()
    work = unpack(repository, tmp_path / "again")
    again = subprocess.run(
        [sys.executable, "-c", step],
        cwd=work,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    assert "begins at round 3" in again.stdout
    assert "train" in repository.ran()
    assert not list(folders.checkpoints.rglob("rounds"))  # of a stage that is through
    assert read_results(folders.model).metrics == {}


def test_a_channel_of_the_job_is_the_folder_that_the_stages_read(
    repository: Checkout, tmp_path: Path
) -> None:
    settings = repository.root / "models" / "face" / "training.toml"
    with settings.open("a") as file:
        file.write('[sagemaker.channels]\n"training/rows" = "s3://bucket/rows"\n')
    repository.git("rm", "--quiet", "-r", "models/face/training/rows")
    repository.commit()
    work, folders = job(repository, tmp_path / "ml")
    rows = folders.channel("rows")
    rows.mkdir(parents=True)
    (rows / "a.csv").write_text("1,2\n")
    run = train(work=work, folders=folders)
    (dep,) = (d for s in run.stages for d in s.deps if d.path.endswith("training/rows"))
    # as the folder has on this machine
    (repository.training / "rows").mkdir()
    (repository.training / "rows" / "a.csv").write_text("1,2\n")
    repository.ran()
    local = repository.train()
    assert dep in [d for s in local.stages for d in s.deps]
    assert "train" not in repository.ran()


def test_a_model_without_stages_that_measure_keeps_the_metrics_of_its_training(
    repository: Checkout, tmp_path: Path
) -> None:
    write_stages(
        repository,
        lambda text: text.replace("  measure:", "  other:").replace(
            "outs: [training/model.bin, ",
            "metrics: [training/size.json: {cache: false}]\n    outs: [training/model.bin, ",
        )[: text.index("  measure:") + len("metrics: [training/size.json: {cache: false}]\n    ")],
    )
    write = "json.dump({'size': 1}, open('training/size.json', 'w'))\n"
    (repository.training / "train.py").write_text(TRAIN + write)
    repository.commit()
    work, folders = job(repository, tmp_path / "ml")
    assert train(work=work, folders=folders).metrics == {"size": 1}
    repository.ran()
    following = hand_over(folders, tmp_path / "processing")
    run: TrainingRun = evaluate(
        folders.hyperparameters(),
        work=unpack(repository, tmp_path / "processing-work"),
        folders=following,
    )
    assert repository.ran() == [] and run.metrics == {"size": 1}
