"""The bucket of trainings: code, state between steps, and results, below ``training/``."""

from __future__ import annotations

from slipway.settings import StageSettings, TrainingPlaceSettings
from slipway.store.s3.store import S3Store, open_s3

PREFIX = "training"


def open_bucket(places: TrainingPlaceSettings) -> S3Store:
    """Return the part of the bucket that holds trainings. Nothing is sent yet.

    Raises:
        SlipwayError: no bucket is set, or boto3's configuration is wrong.
    """
    location = f"s3://{places.require('bucket')}/{PREFIX}"
    return open_s3(
        StageSettings("staging", location, places.profile, kms_key=places.kms_key, tags=places.tags)
    )


def run_prefix(bucket: str, model: str, run_id: str) -> str:
    """Return the address below which all of one run is."""
    return f"s3://{bucket}/{PREFIX}/{model}/{run_id}"
