#!/opt/slipway/bin/python
"""The entry point of a training's image: ``slipway-step STEP [NAME=VALUE…]``.

SageMaker starts a training job's image with ``train``, and a processing job's with the arguments
of its request. Folders are those of SageMaker below ``SAGEMAKER_BASE_DIR`` (/opt/ml). The library
is not in the image: it comes with the model's code, as one archive in the channel ``code``, named
by its SHA-256. This program unpacks it and becomes ``python -m slipway.pipeline.retraining.step``.

SageMaker creates its folders as root, and a user that an image names cannot write to them
(aws/sagemaker-python-sdk#4764). So it starts as root, hands those folders to the user ``slipway``,
and becomes that user before any code of the repository runs.
"""

import hashlib
import os
import pwd
import sys
import tarfile
import tempfile
from pathlib import Path

BASE = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
CODE = ("input/data/code", "processing/input/code")
WRITTEN = ("model", "output", "checkpoints", "processing/output")
USER = "slipway"
MODULE = "slipway.pipeline.retraining.step"


def main(arguments: list[str]) -> None:
    """Unpack the code and become the step."""
    drop_privileges()
    archive = find_archive()
    work = Path(tempfile.mkdtemp(prefix="slipway-"))
    # PEP 706: nothing outside the folder, no device, no owner of another machine
    with tarfile.open(archive) as tar:
        tar.extractall(work, filter="data")
    os.chdir(work)
    os.environ["PYTHONPATH"] = str(work / "build-support")
    os.environ["PYTHONUNBUFFERED"] = "1"
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", MODULE, *arguments])


def find_archive() -> Path:
    """Return the archive of the code, whose name is its SHA-256."""
    archives = [path for folder in CODE for path in sorted((BASE / folder).glob("*.tar.gz"))]
    if len(archives) != 1:
        raise ValueError(f"{len(archives)} archives of code in {' and '.join(CODE)}, not one")
    with archives[0].open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if archives[0].name != f"{digest}.tar.gz":
        raise ValueError(f"{archives[0].name} has the SHA-256 {digest}: it was changed")
    return archives[0]


def drop_privileges() -> None:
    """Become the user of the image, if it is root that starts this."""
    if os.geteuid() != 0 or os.environ.get("SLIPWAY_TRAINING_USER") == "root":
        return
    user = pwd.getpwnam(USER)
    for folder in (BASE / name for name in WRITTEN):
        folder.mkdir(parents=True, exist_ok=True)
        for path in (folder, *folder.rglob("*")):
            os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    os.environ.update(HOME=user.pw_dir, USER=USER)


def explain(error: Exception) -> str:
    """Write why it failed where SageMaker reads it; return the text."""
    text = f"{type(error).__name__}: {error}"
    # of a training job, and of a processing job
    for name in ("failure", "message"):
        path = BASE / "output" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return text


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Exception as problem:
        sys.exit(f"error: {explain(problem)}")
