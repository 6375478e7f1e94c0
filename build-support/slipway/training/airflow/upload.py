"""Bring the DAGs to the bucket: ``python -m slipway.training.airflow.upload DAGS LOCK``.

Only what changed is uploaded, and the description last: it is what the other files read. Files of
ours that are no longer there are removed; those of others in ``dags/`` stay.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from slipway import aws
from slipway import settings as repository
from slipway.errors import SlipwayError
from slipway.settings import TrainingPlaceSettings
from slipway.training.airflow.aws_client import open_client
from slipway.training.airflow.requirements import CONSTRAINTS, mwaa_requirements

FOLDER = "dags"
DESCRIPTION = "slipway_training.json"
PACKAGE = "slipway_dags"
DIGEST = "sha256"  # of an object's metadata: its ETag is no digest where a key encrypts


@dataclass(frozen=True)
class Uploaded:
    """Keys that were written or removed, in order, and how many were there already."""

    written: tuple[str, ...]
    removed: tuple[str, ...]
    same: int


def upload(
    places: TrainingPlaceSettings, dags: Path, lock: Path, *, dry_run: bool = False
) -> Uploaded:
    """Make the bucket's ``dags/`` that of the folder ``dags``, with MWAA's requirements.

    Raises:
        SlipwayError: the bucket refuses; what was written before stays.
    """
    bucket = places.require("bucket")
    client = open_client("s3", places, f"s3://{bucket}")
    files = {
        f"{FOLDER}/{path.relative_to(dags).as_posix()}": path.read_bytes()
        for path in sorted(dags.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
    texts = mwaa_requirements(lock.read_text(encoding="utf-8"))
    files["requirements.txt"] = texts["requirements.txt"].encode()
    files[f"{FOLDER}/{CONSTRAINTS}"] = texts[CONSTRAINTS].encode()
    order = sorted(files, key=lambda key: (key == f"{FOLDER}/{DESCRIPTION}", key))
    try:
        changed = [key for key in order if _digest(client, bucket, key) != _sha256(files[key])]
        gone = [key for key in _ours(client, bucket) if key not in files]
        for key in changed if not dry_run else ():
            client.put_object(
                Bucket=bucket,
                Key=key,
                Body=files[key],
                Metadata={DIGEST: _sha256(files[key])},
                **_encryption(places),
            )
        for key in gone if not dry_run else ():
            client.delete_object(Bucket=bucket, Key=key)
    except ClientError as error:
        raise SlipwayError(
            f"{aws.error_code(error)}: {aws.error_message(error)}",
            where=f"s3://{bucket}/{FOLDER}",
            fix="the role needs to read and write s3://BUCKET/dags/*",
        ) from error
    except BotoCoreError as error:
        raise aws.not_configured(error, f"s3://{bucket}") from error
    return Uploaded(tuple(changed), tuple(gone), len(files) - len(changed))


def _encryption(places: TrainingPlaceSettings) -> dict[str, str]:
    if places.kms_key is None:
        return {}
    return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": places.kms_key}


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _digest(client: Any, bucket: str, key: str) -> str | None:
    try:
        found = client.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if aws.error_code(error) in ("404", "NoSuchKey"):
            return None
        raise
    digest = found["Metadata"].get(DIGEST)
    return None if digest is None else str(digest)


def _ours(client: Any, bucket: str) -> list[str]:
    pages = client.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, Prefix=f"{FOLDER}/{PACKAGE}/"
    )
    return [item["Key"] for page in pages for item in page.get("Contents", ())]


def main(arguments: Sequence[str]) -> None:
    """Upload, and print what was."""
    parser = argparse.ArgumentParser(prog="ci/airflow/deploy")
    parser.add_argument("dags", type=Path)
    parser.add_argument("lock", type=Path)
    parser.add_argument("--dry-run", action="store_true")
    options = parser.parse_args(arguments)
    places = repository.load(Path.cwd()).training
    done = upload(places, options.dags, options.lock, dry_run=options.dry_run)
    verb = "would upload" if options.dry_run else "uploaded"
    for key in done.written:
        print(f"{verb} {key}")
    for key in done.removed:
        print(f"{'would remove' if options.dry_run else 'removed'} {key}")
    print(f"{done.same} unchanged")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except SlipwayError as problem:
        sys.exit(f"error: {problem}")
