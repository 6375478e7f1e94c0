"""A small repository whose model ``face`` is trained by real stages of DVC, with a remote in a
folder. Each stage leaves a line in the file ``ran``, outside of the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from slipway import settings
from slipway.training.local import LocalPlace
from slipway.training.place import TrainingRequest
from slipway.training.run import TrainingRun, new_run_id

STAGES = """stages:
  prepare:
    cmd: echo prepare >> $RAN && cp training/raw.txt training/frames.bin
    deps: [training/raw.txt]
    outs: [training/frames.bin: {push: false}]
  train:
    cmd: echo train >> $RAN && python training/train.py
    deps: [training/frames.bin, training/train.py, training/rows]
    params: [training/params.yaml: [train]]
    outs: [training/model.bin, training/categories.json: {cache: false}]
  measure:
    cmd: echo measure >> $RAN && python training/measure.py
    deps: [training/model.bin, training/measure.py]
    metrics: [training/metrics.json: {cache: false}]
"""
TRAIN = """import json, re
rounds = int(re.search(r"rounds: (\\d+)", open("training/params.yaml").read())[1])
print("rounds", rounds)
open("training/model.bin", "w").write(open("training/frames.bin").read() * rounds)
json.dump({"rounds": rounds}, open("training/categories.json", "w"))
"""
MEASURE = """import json
size = len(open("training/model.bin").read())
json.dump({"test": {"size": size}}, open("training/metrics.json", "w"))
"""
PARAMETERS = "# kept\ntrain:\n  rounds: 3   # how many\n  rate: 0.1\n  name: plain\n"
SETTINGS = """[weights]
"training/model.bin" = "face_inferencer/1/model.bin"
"""
GIT = {
    "GIT_AUTHOR_NAME": "test",
    "GIT_AUTHOR_EMAIL": "test@localhost",
    "GIT_COMMITTER_NAME": "test",
    "GIT_COMMITTER_EMAIL": "test@localhost",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}


@dataclass
class Checkout:
    """A clone with DVC, whose remote is the folder ``remote``."""

    root: Path
    ran_file: Path
    lines: list[str] = field(default_factory=list)

    @property
    def training(self) -> Path:
        """Return the folder of the model's training."""
        return self.root / "models" / "face" / "training"

    def git(self, *words: str) -> str:
        """Return what git prints."""
        return subprocess.run(
            ["git", *words], cwd=self.root, check=True, capture_output=True, text=True
        ).stdout.strip()

    def dvc(self, *words: str) -> str:
        """Return what DVC prints."""
        return subprocess.run(
            [sys.executable, "-m", "dvc", *words],
            cwd=self.root,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()

    def commit(self, message: str = "a change") -> str:
        """Commit everything; return the commit."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "-m", message)
        return self.git("rev-parse", "HEAD")

    def clone(self, root: Path) -> Checkout:
        """Return another machine's clone: an empty cache, the same remote."""
        subprocess.run(["git", "clone", "--quiet", str(self.root), str(root)], check=True)
        return Checkout(root, self.ran_file)

    def train(
        self,
        parameters: Mapping[str, str] | None = None,
        *,
        model: str = "face",
        force: bool = False,
    ) -> TrainingRun:
        """Train on this machine."""
        self.lines.clear()
        request = TrainingRequest(
            self.root,
            model,
            new_run_id(model),
            parameters or {},
            force=force,
            report=self.lines.append,
        )
        return LocalPlace(settings.load(self.root)).start(request).wait().run

    def ran(self) -> list[str]:
        """Return the stages that ran since the last question."""
        text = self.ran_file.read_text() if self.ran_file.exists() else ""
        self.ran_file.write_text("")
        return text.split()

    def state(self) -> dict[str, bytes]:
        """Return the content of each file but those of git and DVC."""
        return {
            path.relative_to(self.root).as_posix(): path.read_bytes()
            for path in sorted(self.root.rglob("*"))
            if path.is_file() and not {".git", ".dvc"} & {*path.relative_to(self.root).parts}
        }


def make_repository(folder: Path, patch: pytest.MonkeyPatch) -> Checkout:
    """Return a repository below ``folder``; nothing was trained yet."""
    for key, value in {**GIT, "RAN": str(folder / "ran"), "DVC_NO_ANALYTICS": "1"}.items():
        patch.setenv(key, value)
    patch.setenv("SLIPWAY_CACHE", str(folder / "cache"))
    patch.delenv("SLIPWAY_TRAINING_ENVIRONMENT", raising=False)
    root = folder / "here"
    made = Checkout(root, folder / "ran")
    (folder / "remote").mkdir()
    made.training.mkdir(parents=True)
    made.git("init", "--quiet", "--initial-branch=main")
    dvc = root / ".dvc"
    dvc.mkdir()
    (dvc / "config").write_text(
        f"[core]\n analytics = false\n remote = there\n['remote \"there\"']\n"
        f" url = {folder / 'remote'}\n"
    )
    (dvc / ".gitignore").write_text("/config.local\n/tmp\n/cache\n")
    (root / ".dvcignore").write_text("")
    (root / "slipway.toml").write_text("")
    (root / ".gitignore").write_text("*.bin\n__pycache__/\n")
    (root / "models" / "face" / "dvc.yaml").write_text(STAGES)
    (root / "models" / "face" / "training.toml").write_text(SETTINGS)
    (made.training / "rows").mkdir()
    files = {
        "raw.txt": "raw\n",
        "rows/a.csv": "1,2\n",
        "train.py": TRAIN,
        "measure.py": MEASURE,
        "params.yaml": PARAMETERS,
        "requirements.txt": "",
        "requirements.lock": "",
    }
    for name, text in files.items():
        (made.training / name).write_text(text)
    made.commit("one")
    return made


def write_stages(checkout: Checkout, change: Callable[[str], str]) -> None:
    """Change the text of ``dvc.yaml``, and commit it."""
    path = checkout.root / "models" / "face" / "dvc.yaml"
    path.write_text(change(path.read_text()))
    checkout.commit()
