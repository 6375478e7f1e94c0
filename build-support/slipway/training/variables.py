"""What a stage of a training knows of its folders and machine: SageMaker's variables.

They are those of AWS's ``sagemaker-training`` 5 for scripts, in every place. Their folders are
links into the model's folder, so that a script that only knows the variables reads the data of
``dvc.yaml``, and writes an output of it:

    SM_MODEL_DIR          training/model    of the model
    SM_OUTPUT_DATA_DIR    training/output
    SM_CHANNEL_<NAME>     training/<name>   for each folder there that a stage depends on

A hyperparameter ``train.rounds`` is ``SM_HP_TRAIN_ROUNDS``; with ``SM_HPS`` they are the parameters
of the model's stages.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CHECKPOINTS = "SLIPWAY_CHECKPOINT_DIR"
MODEL, OUTPUT = "training/model", "training/output"
# what the toolkit reads, and what it leaves to a framework's container
HOST, NETWORK_INTERFACE, INSTANCE_GROUP = "algo-1", "eth0", "homogeneousCluster"
LOG_LEVEL = 20
CHANNEL = {
    "TrainingInputMode": "File",
    "S3DistributionType": "FullyReplicated",
    "RecordWrapperType": "None",
}


@dataclass(frozen=True)
class Machine:
    """Where a training runs: names as SageMaker has them, and the accelerators."""

    job: str
    instance: str = "local"
    gpus: int = 0
    host: str = HOST
    hosts: tuple[str, ...] = (HOST,)
    network_interface: str = NETWORK_INTERFACE


@dataclass(frozen=True)
class Folders:
    """A folder with SageMaker's layout, ``/opt/ml`` in a container, for the stages of a model.

    ``channels`` are names with their folders.
    """

    base: Path
    channels: Mapping[str, Path] = field(default_factory=dict)

    @property
    def model(self) -> Path:
        """Return the folder for the model."""
        return self.base / "model"

    @property
    def output(self) -> Path:
        """Return the folder for other outputs."""
        return self.base / "output" / "data"

    def channel(self, name: str) -> Path:
        """Return the folder of a channel."""
        return self.base / "input" / "data" / name


def hyperparameters(parameters: Mapping[str, Any]) -> dict[str, str]:
    """Return parameters as SageMaker has them: as texts, by a name that a variable can have, such
    as ``train_rounds`` for ``train.rounds``."""
    return {re.sub(r"\W", "_", name): _text(value) for name, value in parameters.items()}


def prepare_folders(
    folders: Folders, model: Path, parameters: Mapping[str, Any], machine: Machine
) -> None:
    """Make SageMaker's layout for the stages of the model in ``model``: links and configuration."""
    config = folders.base / "input" / "config"
    for folder in (config, folders.base / "input" / "data", folders.output.parent):
        folder.mkdir(parents=True, exist_ok=True)
    for link, target in (
        (folders.model, model / MODEL),
        (folders.output, model / OUTPUT),
        *((folders.channel(name), path) for name, path in folders.channels.items()),
    ):
        link.unlink(missing_ok=True)
        link.symlink_to(target)
    files = {
        "hyperparameters.json": hyperparameters(parameters),
        "inputdataconfig.json": dict.fromkeys(sorted(folders.channels), CHANNEL),
        "resourceconfig.json": _resources(machine),
    }
    for name, content in files.items():
        (config / name).write_text(json.dumps(content, sort_keys=True), encoding="utf-8")


def stage_variables(
    folders: Folders, parameters: Mapping[str, Any], machine: Machine
) -> dict[str, str]:
    """Return SageMaker's variables for a training with ``parameters``, by name."""
    # the toolkit finds JSON in the texts
    values = {name: _json(text) for name, text in hyperparameters(parameters).items()}
    channels = sorted(folders.channels)
    base = folders.base
    group = _instance_group(machine)
    variables: dict[str, Any] = {
        "SM_HOSTS": list(machine.hosts),
        "SM_CURRENT_HOST": machine.host,
        "SM_NETWORK_INTERFACE_NAME": machine.network_interface,
        "SM_CURRENT_INSTANCE_TYPE": machine.instance,
        "SM_CURRENT_INSTANCE_GROUP": INSTANCE_GROUP,
        "SM_CURRENT_INSTANCE_GROUP_HOSTS": list(machine.hosts),
        "SM_INSTANCE_GROUPS": [INSTANCE_GROUP],
        "SM_INSTANCE_GROUPS_DICT": {INSTANCE_GROUP: group},
        "SM_DISTRIBUTION_INSTANCE_GROUPS": [],
        "SM_IS_HETERO": False,
        "SM_FRAMEWORK_PARAMS": {},
        "SM_HPS": values,
        "SM_CHANNELS": channels,
        "SM_RESOURCE_CONFIG": _resources(machine),
        "SM_INPUT_DATA_CONFIG": dict.fromkeys(channels, CHANNEL),
        "SM_INPUT_DIR": base / "input",
        "SM_INPUT_CONFIG_DIR": base / "input" / "config",
        "SM_MODEL_DIR": folders.model,
        "SM_OUTPUT_DIR": base / "output",
        "SM_OUTPUT_DATA_DIR": folders.output,
        "SM_OUTPUT_INTERMEDIATE_DIR": base / "output" / "intermediate",
        "SM_NUM_CPUS": os.cpu_count() or 1,
        "SM_NUM_GPUS": machine.gpus,
        "SM_NUM_NEURONS": 0,
        "SM_LOG_LEVEL": LOG_LEVEL,
        "SM_USER_ARGS": _arguments(values),
    }
    variables |= {f"SM_CHANNEL_{name.upper()}": folders.channel(name) for name in channels}
    variables |= {f"SM_HP_{name.upper()}": value for name, value in values.items()}
    return {name: _text(value) for name, value in variables.items()}


def count_gpus() -> int:
    """Return the number of NVIDIA GPUs, as their driver lists them."""
    folder = Path("/proc/driver/nvidia/gpus")
    return len(list(folder.iterdir())) if folder.is_dir() else 0


def _resources(machine: Machine) -> dict[str, Any]:
    return {
        "current_host": machine.host,
        "current_instance_type": machine.instance,
        "current_group_name": INSTANCE_GROUP,
        "hosts": list(machine.hosts),
        "instance_groups": [_instance_group(machine)],
        "network_interface_name": machine.network_interface,
    }


def _instance_group(machine: Machine) -> dict[str, Any]:
    return {
        "instance_group_name": INSTANCE_GROUP,
        "instance_type": machine.instance,
        "hosts": list(machine.hosts),
    }


def _arguments(values: Mapping[str, Any]) -> list[str]:
    """Return values as a command line, as the toolkit gives them to a script."""
    arguments = []
    for name in sorted(values):
        value = "" if values[name] is None else values[name]
        if isinstance(value, dict):
            value = ",".join(f"{key}={part}" for key, part in sorted(value.items()))
        arguments += [f"--{name}" if len(name) > 1 else f"-{name}", str(value)]
    return arguments


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _text(value: Any) -> str:
    if value is None or isinstance(value, str | Path):
        return str(value or "")
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
