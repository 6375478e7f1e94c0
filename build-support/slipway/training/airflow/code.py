"""The code of a run: a snapshot in the bucket."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from slipway.settings import Settings
from slipway.training.bucket import PREFIX, open_bucket
from slipway.training.sagemaker.stage_files import prepare_stages
from slipway.training.snapshot import make_snapshot, upload_snapshot


@dataclass(frozen=True)
class Code:
    """Where a model's code is, of which commit, and whether it has changes that are in none."""

    address: str
    commit: str
    dirty: bool


def upload_code(
    settings: Settings,
    model: str,
    *,
    allow_dirty: bool = False,
    report: Callable[[str], object] = print,
) -> Code:
    """Upload the code that a training of ``model`` needs, unless the bucket has it.

    Raises:
        SlipwayError: the model has no stages, a file is in no commit, or the bucket refuses.
    """
    bucket = open_bucket(settings.training)
    dependencies = prepare_stages(settings.root, model, {}).files
    with tempfile.TemporaryDirectory(prefix="slipway-") as folder:
        snapshot = make_snapshot(
            settings.root,
            model,
            Path(folder) / "code.tar.gz",
            dependencies=dependencies,
            allow_dirty=allow_dirty,
        )
        if snapshot.untracked:
            report(f"not sent, since git does not know it: {', '.join(snapshot.untracked)}")
        uploaded = upload_snapshot(snapshot, bucket)
    address = f"s3://{settings.training.require('bucket')}/{PREFIX}/{snapshot.key}"
    report(f"code of {model}: {address}" + ("" if uploaded else " (was there)"))
    return Code(address, snapshot.commit, snapshot.dirty)
