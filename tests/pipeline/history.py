"""Real git repositories with models, and shallow clones of a bare origin, as in CI."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

NOBODY = {
    "GIT_AUTHOR_NAME": "test",
    "GIT_AUTHOR_EMAIL": "test@localhost",
    "GIT_COMMITTER_NAME": "test",
    "GIT_COMMITTER_EMAIL": "test@localhost",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}


class History:
    """A checkout at ``root`` whose ``origin`` is a bare repository beside it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def git(self, *words: str) -> str:
        """What git says."""
        done = subprocess.run(
            ["git", *words],
            cwd=self.root,
            env=os.environ | NOBODY,
            check=True,
            text=True,
            capture_output=True,
        )
        return done.stdout.strip()

    def write(self, path: str, text: str) -> None:
        """Write a file of the working tree."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def model(self, name: str, version: str = "1.0.0") -> None:
        """Write a model's folder."""
        self.write(f"models/{name}/model_version.txt", f"{version}\n")
        self.write(f"models/{name}/{name}/config.pbtxt", f'name: "{name}"\n')
        self.write(f"models/{name}/{name}/1/model.py", f"# {name}\n")

    def remove(self, path: str) -> None:
        """Remove a file or a folder of the working tree."""
        target = self.root / path
        if target.is_dir():
            shutil.rmtree(target)
        else:
            target.unlink()

    def commit(self, message: str = "a change") -> str:
        """Commit everything; the commit's name."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", f"--message={message}")
        return self.git("rev-parse", "HEAD")

    def push(self, *words: str) -> None:
        """Push HEAD, or what is named."""
        self.git("push", "--quiet", "--force", "origin", *(words or ("HEAD",)))

    def job(self, folder: Path, commit: str, depth: int = 1) -> History:
        """A checkout as a runner makes it: one commit and ``depth - 1`` before it, no branch."""
        folder.mkdir()
        made = History(folder)
        made.git("init", "--quiet")
        made.git("remote", "add", "origin", f"file://{self.origin}")
        made.git("fetch", "--quiet", "--no-tags", f"--depth={depth}", "origin", commit)
        made.git("checkout", "--quiet", "--detach", commit)
        return made

    @property
    def origin(self) -> Path:
        """Where pushes go."""
        return self.root.with_name(f"{self.root.name}.git")


def begin(root: Path, *, origin: bool = True) -> History:
    """Two models on ``main``, pushed if there is an ``origin``."""
    root.mkdir(parents=True)
    made = History(root)
    made.git("init", "--quiet", "--initial-branch=main")
    made.write("slipway.toml", "")
    made.write("README.md", "words\n")
    made.model("one")
    made.model("two")
    made.commit("the first")
    if origin:
        subprocess.run(["git", "init", "--quiet", "--bare", str(made.origin)], check=True)
        made.git("remote", "add", "origin", f"file://{made.origin}")
        made.push()
    return made
