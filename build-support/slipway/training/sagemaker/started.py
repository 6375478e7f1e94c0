"""A training that was started on SageMaker: followed, stopped, and brought into the checkout."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from slipway.errors import SlipwayError
from slipway.store.interface import Reader, Store
from slipway.training.place import TrainingOutcome
from slipway.training.results import FILES, apply_results, read_results
from slipway.training.run import TrainingRun
from slipway.training.sagemaker.client import JobsClient, Kind
from slipway.training.sagemaker.collect import committed_digests, fetch_folder, fetch_results
from slipway.training.sagemaker.follow import follow_job, metrics_of
from slipway.training.sagemaker.job_settings import JobSettings
from slipway.training.sagemaker.request import RESULTS, processing_job

EVALUATE = "evaluate"


@dataclass(frozen=True)
class StartedRecord:
    """What was started: kept in the bucket, so that any machine can bring the results home.

    ``evaluates`` says whether the model has stages that only measure.
    """

    run_id: str
    model: str
    code: str
    image: str
    values: Mapping[str, str]
    parameters: Mapping[str, str]
    evaluates: bool

    def write(self, bucket: Store) -> None:
        """Keep it in the bucket.

        Raises:
            SlipwayError: another training has this id.
        """
        data = json.dumps(asdict(self), indent=1, sort_keys=True).encode()
        key = _key(self.model, self.run_id)
        if not bucket.create(key, data) and bucket.read(key) != data:
            raise SlipwayError(
                f"another training was started as {self.run_id}", fix="start it with another id"
            )

    @classmethod
    def read(cls, bucket: Reader, model: str, run_id: str) -> StartedRecord:
        """Return what was started as ``run_id``.

        Raises:
            SlipwayError: nothing was.
        """
        data = bucket.read(_key(model, run_id))
        if data is None:
            raise SlipwayError(
                f"no training was started as {run_id}",
                where=str(bucket.s3_location(_key(model, run_id))),
                fix="the id that slipway train --detach printed",
            )
        return cls(**json.loads(data))


class StartedJobs:
    """See :class:`slipway.training.place.StartedTraining`."""

    def __init__(
        self,
        root: Path,
        settings: JobSettings,
        record: StartedRecord,
        client: JobsClient,
        bucket: Reader,
        report: Callable[[str], object],
        arn: str,
    ) -> None:
        self._root, self._settings, self._record = root, settings, record
        self._client, self._bucket, self._report = client, bucket, report
        self._arns = [arn]

    @property
    def jobs(self) -> tuple[str, ...]:
        """See :meth:`slipway.training.place.StartedTraining.jobs`."""
        return tuple(self._arns)

    def wait(self) -> TrainingOutcome:
        """See :meth:`slipway.training.place.StartedTraining.wait`. An interruption of this process
        stops the job; where a person sits at a terminal, they are asked."""
        name = self._settings.job_name()
        description = self._follow("Training", name)
        for metric, value in metrics_of(description).items():
            self._report(f"  {metric}: {value:g}")
        with tempfile.TemporaryDirectory(prefix="slipway-") as folder:
            results = Path(folder)
            fetch_results(self._bucket, description["ModelArtifacts"]["S3ModelArtifacts"], results)
            if self._record.evaluates:
                self._evaluate(results)
            run = read_results(results)
            written = self._apply(results, run)
        self._report(f"in the checkout: {', '.join(written)}")
        return TrainingOutcome(run, True, (self._client.console_link("Training", name),))

    def _evaluate(self, results: Path) -> None:
        """Run the stages that only measure, and add what they left to ``results``."""
        body = processing_job(EVALUATE, self._settings)
        name = body["ProcessingJobName"]
        self._arns.append(self._client.create("Processing", body))
        self._report(f"job: {self._client.console_link('Processing', name)}")
        self._follow("Processing", name)
        fetch_folder(self._bucket, f"{self._settings.prefix}/{RESULTS[EVALUATE]}", results)

    def _follow(self, kind: Kind, name: str) -> dict[str, Any]:
        try:
            return follow_job(self._client, kind, name, self._report)
        except (KeyboardInterrupt, SystemExit):  # the latter: SIGTERM, of a job that is cancelled
            if self._is_to_stop(name):
                self._client.stop(kind, name)
                self._report(f"stopped {name}")
            else:
                self._report(
                    f"{name} continues: slipway train {self._record.model} --on sagemaker"
                    f" --collect {self._record.run_id}"
                )
            raise

    def _is_to_stop(self, name: str) -> bool:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            return True
        sys.stderr.write(f"\nStop the job {name}? [Y/n] ")
        sys.stderr.flush()
        return sys.stdin.readline().strip().lower() not in ("n", "no")

    def _apply(self, results: Path, run: TrainingRun) -> list[str]:
        listed = [
            path.relative_to(results / FILES).as_posix()
            for path in sorted((results / FILES).rglob("*"))
            if path.is_file()
        ]
        expected = None
        if self._record.values.get("dirty") != "true":
            expected = committed_digests(self._root, self._record.values["commit"], listed)
        return apply_results(results, self._root, expected=expected, fetch=True)


def _key(model: str, run_id: str) -> str:
    return f"{model}/{run_id}/started.json"
