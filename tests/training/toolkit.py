"""What AWS's own ``sagemaker-training`` reads from a training's folders, and sets for a script.

    python -m tests.training.toolkit PYTHON

writes the answers of the package in the environment of PYTHON to the fixture that
``test_variables.py`` compares with. The package has compiled dependencies of 239 MB, so it is no
requirement of the tests: ``uv pip install sagemaker-training==5.1.4``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from slipway.training.variables import Folders, Machine, prepare_folders
from tests.training.sagemaker_job import Container, Job

FIXTURE = Path(__file__).parent / "fixtures" / "sagemaker_training_5.1.4.json"
BASE = "/opt/ml"  # in the fixture, whatever the folder was
CPUS = 4
# of each type that a params.yaml has, and what is easily lost
PARAMETERS: Mapping[str, Any] = {
    "train.rounds": 20,
    "train.rate": 0.1,
    "train.name": "plain text, with ünïcode",
    "train.digits": "0012",
    "train.number-as-text": "12",
    "train.shuffle": True,
    "train.sizes": [128, 64],
    "train.nothing": None,
    "x": 1e-05,
    "epochs": 5,
}
CHANNELS = ("train", "validation")
MACHINE = Machine(job="face-20261201T000000Z-0a1b2c", instance="ml.m5.large")
JOB: Mapping[str, Any] = {
    "TrainingJobName": "face-20261201T000000Z-0a1b2c",
    "HyperParameters": {"model": "face", "run": "face-1", "set.train.rounds": "20", "flag": "true"},
    "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 30},
    "InputDataConfig": [
        {"ChannelName": name, "DataSource": {"S3DataSource": {"S3Uri": f"s3://b/{name}"}}}
        for name in ("code", "rows")
    ],
}
ASK = """
import json, multiprocessing, sys
multiprocessing.cpu_count = lambda: int(sys.argv[1])
from sagemaker_training import environment
found = environment.Environment()
json.dump(found.to_env_vars(), open(sys.argv[2], "w"))
"""


def lay_out_stages(base: Path) -> Folders:
    """Make the folders that a stage gets."""
    model = base.parent / "models" / "face"
    for name in CHANNELS:
        (model / "training" / name).mkdir(parents=True)
    folders = Folders(base, {name: model / "training" / name for name in CHANNELS})
    prepare_folders(folders, model, PARAMETERS, MACHINE)
    return folders


def lay_out_job(base: Path) -> None:
    """Make the folders that a container gets from what stands in for SageMaker."""

    class Offline(Job):
        def _download(self, uri: str, folder: Path, *, required: bool = True) -> None:
            folder.mkdir(parents=True, exist_ok=True)

    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    Offline("Training", JOB, Container((), {}, "http://127.0.0.1:9", base.parent))._fill(base)


def ask(python: str, base: Path) -> dict[str, str]:
    """Return the variables that the package would set, with ``base`` replaced."""
    answer = base.parent / "answer.json"
    subprocess.run(
        [python, "-c", ASK, str(CPUS), str(answer)],
        env={"PATH": os.environ["PATH"], "SAGEMAKER_BASE_DIR": str(base)},
        check=True,
    )
    found = json.loads(answer.read_text())
    return {name: text.replace(str(base), BASE) for name, text in sorted(found.items())}


def main(python: str) -> None:
    """Ask again, and write the fixture."""
    answers = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, lay_out in (("stages", lay_out_stages), ("job", lay_out_job)):
            base = Path(folder).resolve() / name / "ml"
            base.mkdir(parents=True)
            lay_out(base)
            answers[name] = ask(python, base)
    FIXTURE.write_text(json.dumps(answers, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
