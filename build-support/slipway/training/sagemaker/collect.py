"""Take the results of a job from S3 into a folder, trusting nothing in them."""

from __future__ import annotations

import subprocess
from pathlib import Path

from slipway.artifact.extract import InsufficientSpace, extract
from slipway.errors import SlipwayError
from slipway.files import sha256_of_stream
from slipway.store.interface import Reader
from slipway.training.bucket import PREFIX

# bytes: results are what git keeps; weights and data are in DVC's remote
LARGEST = 256 << 20
MODEL = "model.tar.gz"


def fetch_results(bucket: Reader, address: str, into: Path) -> None:
    """Download the archive at ``address`` in the trainings' bucket, and unpack it to ``into``.

    Raises:
        SlipwayError: it is elsewhere, incomplete, too large, or holds anything but plain files
            below ``into``.
    """
    with bucket.open(_key(bucket, address)) as stream:
        _unpack(stream, address, into)


def fetch_folder(bucket: Reader, address: str, into: Path) -> None:
    """Download what is below ``address`` in the trainings' bucket to ``into``.

    Raises:
        SlipwayError: a key leads out of it, or all of it is too large.
    """
    prefix = _key(bucket, address).rstrip("/") + "/"
    total = 0
    for key in bucket.keys(prefix):
        target = into / key.removeprefix(prefix)
        if not target.resolve().is_relative_to(into.resolve()):
            raise SlipwayError(f"{key} leads out of its folder", where=address, fix="train again")
        stat = bucket.stat(key)
        total += stat.size if stat else 0
        if total > LARGEST:
            raise _too_large(address)
        target.parent.mkdir(parents=True, exist_ok=True)
        with bucket.open(key) as stream, target.open("wb") as file:
            while chunk := stream.read(1 << 20):
                file.write(chunk)


def committed_digests(root: Path, commit: str, paths: list[str]) -> dict[str, str]:
    """Return the SHA-256 that files have in ``commit``, of those that it has.

    Raises:
        SlipwayError: the checkout does not have that commit.
    """
    git = ["git", "-C", str(root)]
    if subprocess.run([*git, "cat-file", "-e", f"{commit}^{{commit}}"], check=False).returncode:
        raise SlipwayError(
            f"the checkout does not have the commit {commit[:12]} that was trained",
            where=str(root),
            fix="git fetch, then git switch --detach " + commit[:12],
        )
    digests = {}
    for path in paths:
        with subprocess.Popen(
            [*git, "cat-file", "blob", f"{commit}:./{path}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process:
            assert process.stdout is not None
            digest = sha256_of_stream(process.stdout)
        if process.returncode == 0:
            digests[path] = digest
    return digests


def _key(bucket: Reader, address: str) -> str:
    location = bucket.s3_location("")
    root = str(location)
    if not address.startswith(root):
        raise SlipwayError(
            f"the job's results are not below {root}",
            where=address,
            fix=f"let [training] bucket be the one of the job, with {PREFIX}/",
        )
    return address.removeprefix(root)


def _unpack(stream: object, address: str, into: Path) -> None:
    total = 0

    def reserve(size: int) -> None:
        nonlocal total
        total += size
        if total > LARGEST:
            raise InsufficientSpace(*_too_large(address).args)

    extract(stream, into, name=address, reserve=reserve)  # type: ignore[arg-type]


def _too_large(address: str) -> SlipwayError:
    return SlipwayError(
        f"results of more than {LARGEST >> 20} MB",
        where=address,
        fix="let DVC keep large outputs: without cache: false in dvc.yaml",
    )
