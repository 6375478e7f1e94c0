"""The place sagemaker: a training job, and a processing job for stages that only measure."""

from __future__ import annotations

import tempfile
from pathlib import Path

from slipway.errors import SlipwayError
from slipway.model.training_settings import load_training_settings
from slipway.settings import Settings
from slipway.training.bucket import open_bucket
from slipway.training.image import require_image
from slipway.training.local import LocalPlace
from slipway.training.place import StartedTraining, TrainingRequest
from slipway.training.run import RUN_ID, PlaceName
from slipway.training.sagemaker.client import JobsClient
from slipway.training.sagemaker.job_settings import JobSettings
from slipway.training.sagemaker.request import training_job
from slipway.training.sagemaker.stage_files import prepare_stages
from slipway.training.sagemaker.started import StartedJobs, StartedRecord
from slipway.training.snapshot import make_snapshot, upload_snapshot


class SageMakerPlace:
    """Train on SageMaker. See :class:`slipway.training.place.Place`."""

    name: PlaceName = "sagemaker"
    detachable = True

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def start(self, request: TrainingRequest) -> StartedTraining:
        """Upload the code, and create the training job. See
        :meth:`slipway.training.place.Place.start`.

        A run that was started already is followed: nothing is created twice. Where nothing has
        changed since the last training, no job is created.
        """
        places = self._settings.training
        for key in ("bucket", "role"):
            places.require(key)
        bucket, client = open_bucket(places), JobsClient(places)
        prepared = prepare_stages(request.root, request.model, request.parameters)
        if prepared.unchanged and not request.force:
            return LocalPlace(self._settings).start(request)
        image = require_image(request.root, request.model, places)
        with tempfile.TemporaryDirectory(prefix="slipway-") as folder:
            snapshot = make_snapshot(
                request.root,
                request.model,
                Path(folder) / "code.tar.gz",
                dependencies=prepared.files,
                allow_dirty=request.allow_dirty,
            )
            if snapshot.untracked:
                listed = ", ".join(snapshot.untracked)
                request.report(f"not sent, since git does not know it: {listed}")
            uploaded = upload_snapshot(snapshot, bucket)
        code = f"s3://{places.require('bucket')}/training/{snapshot.key}"
        request.report(f"code: {code}" + ("" if uploaded else " (was there)"))
        values = {
            "commit": snapshot.commit,
            "dirty": str(snapshot.dirty).lower(),
            "place": self.name,
            "image": image.rpartition("@")[2],
        }
        if request.force:
            values["force"] = "true"
        if request.reason:
            values["reason"] = request.reason
        job = JobSettings(
            request.run_id,
            request.model,
            code,
            image,
            places,
            load_training_settings(request.folder),
            values,
            request.parameters,
        )
        body = training_job(job)
        record = StartedRecord(
            request.run_id,
            request.model,
            code,
            image,
            values,
            dict(request.parameters),
            bool(prepared.stages.evaluate),
        )
        record.write(bucket)
        arn = client.create("Training", body)
        request.report(f"job: {client.console_link('Training', job.job_name())}")
        request.report(f"log: {client.log_link('Training', job.job_name())}")
        return StartedJobs(request.root, job, record, client, bucket, request.report, arn)

    def resume(self, request: TrainingRequest) -> StartedJobs:
        """Return a run that was started, by this machine or another one.

        Raises:
            SlipwayError: there is no such run.
        """
        places = self._settings.training
        match = RUN_ID.fullmatch(request.run_id)
        if match is None or match["model"] != request.model:
            raise SlipwayError(
                f"{request.run_id!r} is not the id of a training of {request.model}",
                fix="the id that slipway train --detach printed",
            )
        bucket, client = open_bucket(places), JobsClient(places)
        record = StartedRecord.read(bucket, request.model, request.run_id)
        job = JobSettings(
            record.run_id,
            record.model,
            record.code,
            record.image,
            places,
            load_training_settings(request.folder),
            record.values,
            record.parameters,
        )
        arn = str(client.describe("Training", job.job_name())["TrainingJobArn"])
        return StartedJobs(request.root, job, record, client, bucket, request.report, arn)
