"""One job of SageMaker as processes of this machine, under the contract of its containers.

Folders and files are those of "How Amazon SageMaker AI Provides Training Information" and "How
Amazon SageMaker Processing Configures Your Container". ``/opt/ml`` is the folder that
``SAGEMAKER_BASE_DIR`` names, as AWS's own ``sagemaker-training`` has it.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import tarfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3

GRACE = 120.0  # seconds between SIGTERM and SIGKILL, as SageMaker documents
REASON = 1024  # characters that SageMaker takes of output/failure
OPT_ML = "/opt/ml"
GROUP = "homogeneousCluster"


@dataclass
class Interruption:
    """Take the instance away when a line of the log matches, ``times`` times."""

    line: re.Pattern[str]
    times: int = 1


@dataclass
class Container:
    """What stands for the image: the command that its entry point is, and its variables."""

    entry: Sequence[str]
    environment: Mapping[str, str]
    endpoint: str
    folder: Path
    grace: float = GRACE
    host: str = "algo-1"
    interruptions: list[Interruption] = field(default_factory=list)


class Job(threading.Thread):
    """A training or processing job; ``request`` is what created it."""

    def __init__(self, kind: str, request: Mapping[str, Any], container: Container) -> None:
        super().__init__(daemon=True, name=request[f"{kind}JobName"])
        self.kind, self.request, self.container = kind, request, container
        self.status, self.secondary = "InProgress", "Starting"
        self.transitions: list[dict[str, Any]] = []
        self.reason = self.message = ""
        self.log: list[str] = []
        self.attempts = 0
        self.started = self.ended = time.time()
        self.billed = 0.0
        self._stopping = threading.Event()
        self._process: subprocess.Popen[str] | None = None
        self._interrupted = False
        self._s3 = boto3.client("s3", **_client(container.endpoint))
        self._enter("Starting", "Preparing the instances for training")

    @property
    def is_training(self) -> bool:
        return self.kind == "Training"

    def stop(self) -> None:
        """As Stop…Job: SIGTERM, and SIGKILL after the time of grace."""
        self.status = "Stopping"
        self._enter("Stopping", "Stopping the job")
        self._stopping.set()
        self._signal()

    def kill(self) -> None:
        """End it at once, as a test does that is over."""
        self._stopping.set()
        if self._process is not None and self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self.join(10)

    def run(self) -> None:
        """Run to the end, through all interruptions."""
        try:
            self._run()
        except Exception as error:
            self._end("Failed", f"InternalServerError: {error!r}")

    def _run(self) -> None:
        try:
            self._run_attempts()
        finally:
            for folder in self.container.folder.glob(f"{self.name}.*"):
                shutil.rmtree(folder, ignore_errors=True)

    def _run_attempts(self) -> None:
        limits = self.request.get("StoppingCondition", {})
        while True:
            self.attempts += 1
            base = self.container.folder / f"{self.name}.{self.attempts}" / "opt" / "ml"
            self._enter("Downloading", "Downloading input data")
            try:
                self._fill(base)
            except Exception as error:
                return self._end("Failed", f"ClientError: Data download failed: {error}")
            self._interrupted = False
            code = self._execute(base, limits.get("MaxRuntimeInSeconds", 86400))
            if not self._interrupted or self._stopping.is_set():
                break
            self._enter("Interrupted", "Training job interrupted")
            if time.time() - self.started > limits.get("MaxWaitTimeInSeconds", 86400):
                return self._end("Stopped", "", "MaxWaitTimeExceeded")
            self._enter("Starting", "Launching requested ML instances")
        self._enter("Uploading", "Uploading generated training model")
        self._collect(base)
        if not self.is_training:
            message = base / "output" / "message"
            self.message = message.read_text(errors="replace")[:REASON] if message.is_file() else ""
        if self._stopping.is_set():
            self._end("Stopped", "")
        elif code is None:
            self._end("Stopped", "", "MaxRuntimeExceeded")
        elif code:
            self._end("Failed", self._failure(base, code))
        else:
            self._end("Completed", "")

    # folders

    def _fill(self, base: Path) -> None:
        config = base / ("input/config" if self.is_training else "config")
        for folder in (config, base / "output" / "data", base / "model", base / "input" / "data"):
            folder.mkdir(parents=True, exist_ok=True)
        hosts = self._hosts()
        _write(config / "resourceconfig.json", hosts)
        if not self.is_training:
            _write(config / "processingjobconfig.json", self.request)
            for entry in self.request.get("ProcessingInputs", []):
                source = entry["S3Input"]
                self._download(source["S3Uri"], self._local(base, source["LocalPath"]))
            for output in self._outputs():
                self._local(base, output["LocalPath"]).mkdir(parents=True, exist_ok=True)
            return
        _write(config / "hyperparameters.json", self.request.get("HyperParameters", {}))
        channels = {}
        for channel in self.request.get("InputDataConfig", []):
            folder = base / "input" / "data" / channel["ChannelName"]
            self._download(channel["DataSource"]["S3DataSource"]["S3Uri"], folder)
            channels[channel["ChannelName"]] = {
                "TrainingInputMode": "File",
                "S3DistributionType": "FullyReplicated",
                "RecordWrapperType": "None",
            }
        _write(config / "inputdataconfig.json", channels)
        if checkpoints := self.request.get("CheckpointConfig"):
            folder = self._local(base, checkpoints.get("LocalPath", f"{OPT_ML}/checkpoints"))
            folder.mkdir(parents=True, exist_ok=True)
            self._download(checkpoints["S3Uri"], folder, required=False)

    def _hosts(self) -> dict[str, Any]:
        resources = self.request.get("ResourceConfig") or self.request["ProcessingResources"]
        kind = resources.get("ClusterConfig", resources)["InstanceType"]
        hosts = [self.container.host]
        group = {"instance_group_name": GROUP, "instance_type": kind, "hosts": hosts}
        return {
            "current_host": self.container.host,
            "current_instance_type": kind,
            "current_group_name": GROUP,
            "hosts": hosts,
            "instance_groups": [group],
            "network_interface_name": "eth0",
        }

    def _local(self, base: Path, path: str) -> Path:
        return base / Path(path).relative_to(OPT_ML)

    def _outputs(self) -> list[dict[str, Any]]:
        config = self.request.get("ProcessingOutputConfig", {})
        return [output["S3Output"] for output in config.get("Outputs", [])]

    def _download(self, uri: str, folder: Path, *, required: bool = True) -> None:
        """As S3Prefix: every object whose key begins so, below the last slash of the prefix."""
        bucket, _, prefix = uri.removeprefix("s3://").partition("/")
        folder.mkdir(parents=True, exist_ok=True)
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
        if required and not keys:
            raise LookupError(f"no S3 objects found under S3 URL {uri!r}")
        for key in keys:
            # a folder's objects keep their path below it; an object that is the prefix, its name
            target = folder / (key.removeprefix(prefix).lstrip("/") or key.rsplit("/", 1)[1])
            target.parent.mkdir(parents=True, exist_ok=True)
            self._s3.download_file(bucket, key, str(target))

    def _upload(self, folder: Path, uri: str) -> None:
        bucket, _, prefix = uri.removeprefix("s3://").partition("/")
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                key = f"{prefix.rstrip('/')}/{path.relative_to(folder).as_posix()}"
                with contextlib.suppress(FileNotFoundError):  # replaced meanwhile
                    self._s3.upload_file(str(path), bucket, key)

    def _collect(self, base: Path) -> None:
        self._save_checkpoints(base)
        if not self.is_training:
            for output in self._outputs():
                self._upload(self._local(base, output["LocalPath"]), output["S3Uri"])
            return
        target = (
            f"{self.request['OutputDataConfig']['S3OutputPath'].rstrip('/')}/{self.name}/output"
        )
        packed = self.container.folder / f"{self.name}.packed"
        for name, folder in (("model", base / "model"), ("output", base / "output" / "data")):
            if name == "model" or any(folder.iterdir()):
                packed.mkdir(exist_ok=True)
                with tarfile.open(packed / f"{name}.tar.gz", "w:gz") as tar:
                    for path in sorted(folder.iterdir()):
                        tar.add(path, path.name)
        self._upload(packed, target)
        shutil.rmtree(packed)

    def _save_checkpoints(self, base: Path) -> None:
        if checkpoints := self.request.get("CheckpointConfig"):
            local = self._local(base, checkpoints.get("LocalPath", f"{OPT_ML}/checkpoints"))
            self._upload(local, checkpoints["S3Uri"])

    # the process

    def _command(self) -> list[str]:
        what = self.request.get(
            "AlgorithmSpecification" if self.is_training else "AppSpecification"
        )
        assert what is not None
        entry = what.get("ContainerEntrypoint") or list(self.container.entry)
        return [*entry, *(what.get("ContainerArguments") or (["train"] * self.is_training))]

    def _execute(self, base: Path, limit: float) -> int | None:
        """Return the exit status; ``None`` if it ran longer than it may."""
        home = base.parent / "home"
        home.mkdir(exist_ok=True)
        arn = f"arn:aws:sagemaker:us-east-1:123456789012:{self.kind.lower()}-job/{self.name}"
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "SAGEMAKER_BASE_DIR": str(base),
            f"{self.kind.upper()}_JOB_NAME": self.name,
            f"{self.kind.upper()}_JOB_ARN": arn,
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": self.container.endpoint,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            **self.container.environment,
            **self.request.get("Environment", {}),
        }
        self._enter("Training", "Training image download completed. Training in progress.")
        began = time.time()
        if self._stopping.is_set():
            return 0
        self._process = subprocess.Popen(
            self._command(),
            cwd=home,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
        timed_out = threading.Event()

        def time_out() -> None:
            timed_out.set()
            self._signal()

        timer = threading.Timer(limit, time_out)
        timer.daemon = True
        timer.start()
        done = threading.Event()
        saving = threading.Thread(target=self._save_often, args=(base, done), daemon=True)
        saving.start()
        assert self._process.stdout is not None
        writer = LogWriter(self.kind, self.name, self.container.endpoint)
        for line in self._process.stdout:
            self.log.append(line.rstrip("\n"))
            writer.write(line.rstrip("\n"))
            self._interrupt_at(line)
        writer.flush()
        code = self._process.wait()
        timer.cancel()
        done.set()
        saving.join()
        self._save_checkpoints(base)
        self.billed += time.time() - began
        return None if timed_out.is_set() else code

    def _save_often(self, base: Path, done: threading.Event) -> None:
        while not done.wait(0.5):
            self._save_checkpoints(base)

    def _interrupt_at(self, line: str) -> None:
        if not self.request.get("EnableManagedSpotTraining") or self._interrupted:
            return
        for interruption in self.container.interruptions:
            if interruption.times and interruption.line.search(line):
                interruption.times -= 1
                self._interrupted = True
                self._signal()

    def _signal(self) -> None:
        process = self._process
        if process is None or process.poll() is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            # Docker sends SIGTERM to the first process of the container alone
            process.send_signal(signal.SIGTERM)

        def kill() -> None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

        timer = threading.Timer(self.container.grace, kill)
        timer.daemon = True
        timer.start()

    def _failure(self, base: Path, code: int) -> str:
        failure = base / "output" / "failure"
        text = failure.read_text(errors="replace")[:REASON] if failure.is_file() else ""
        if self.is_training:
            error = f'ErrorMessage "{text}"' if text else ""
            return f"AlgorithmError: {error or 'ExecuteUserScriptError'}, exit code: {code}"
        return "AlgorithmError: See job logs for more information"

    # the status

    def _enter(self, secondary: str, message: str) -> None:
        now = time.time()
        self.secondary = secondary
        if self.transitions:
            self.transitions[-1]["EndTime"] = now
        self.transitions.append({"Status": secondary, "StartTime": now, "StatusMessage": message})

    def _end(self, status: str, reason: str, secondary: str | None = None) -> None:
        self.reason = reason
        self.ended = time.time()
        self._enter(secondary or status, reason)
        self.transitions[-1]["EndTime"] = self.ended
        self.status = status  # last: who waits reads the rest after it

    def metrics(self) -> list[dict[str, Any]]:
        """Return the last value of every metric that the job's definitions find in its log."""
        result = {}
        algorithm = self.request.get("AlgorithmSpecification", {})
        for definition in algorithm.get("MetricDefinitions", []):
            for line in self.log:
                if match := re.search(definition["Regex"], line):
                    result[definition["Name"]] = {
                        "MetricName": definition["Name"],
                        "Value": float(match[1]),
                        "Timestamp": self.ended,
                    }
        return list(result.values())


class LogWriter:
    """Write a job's lines into CloudWatch's log, where SageMaker puts them."""

    def __init__(self, kind: str, name: str, endpoint: str) -> None:
        self._logs = boto3.client("logs", **_client(endpoint))
        self._target = {
            "logGroupName": f"/aws/sagemaker/{kind}Jobs",
            "logStreamName": f"{name}/algo-1-{time.time_ns() // 1_000_000}",
        }
        with contextlib.suppress(self._logs.exceptions.ResourceAlreadyExistsException):
            self._logs.create_log_group(logGroupName=self._target["logGroupName"])
        self._logs.create_log_stream(**self._target)
        self._events: list[dict[str, Any]] = []
        self._last = time.monotonic()

    def write(self, line: str) -> None:
        """Write a line, with others once a second."""
        if line:
            self._events.append({"timestamp": time.time_ns() // 1_000_000, "message": line})
        if time.monotonic() - self._last > 1:
            self.flush()

    def flush(self) -> None:
        """Write what is left."""
        if self._events:
            self._logs.put_log_events(**self._target, logEvents=self._events)
        self._events, self._last = [], time.monotonic()


def _client(endpoint: str) -> dict[str, Any]:
    return {
        "endpoint_url": endpoint,
        "region_name": "us-east-1",
        "aws_access_key_id": "testing",
        "aws_secret_access_key": "testing",
    }


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value))
