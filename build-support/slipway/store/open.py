"""Open a stage's release store to read and write it."""

from __future__ import annotations

from slipway.settings import Settings
from slipway.settings.release import StageName
from slipway.store.directory import DirectoryStore
from slipway.store.open_reader import S3, folder_of
from slipway.store.stage import StageStore


def open_stage(settings: Settings, stage: StageName) -> StageStore:
    """Open a stage's releases.

    Raises:
        SlipwayError: the store's location is of an unknown kind, or there is no such AWS profile.
    """
    chosen = settings.stage(stage)
    if chosen.store.startswith(S3):
        from slipway.store.s3.store import open_s3  # boto3: not for a folder

        return StageStore(open_s3(chosen), stage)
    return StageStore(DirectoryStore(folder_of(chosen.store, settings.root)), stage)
