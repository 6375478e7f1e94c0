"""Every command of ``slipway``: its name, the group of the help, where it is, what it does.

``slipway --help`` reads this table alone and imports no command.
"""

from __future__ import annotations

from typing import NamedTuple

STEPS = "Steps"


class Entry(NamedTuple):
    """One command. ``summary`` is the first sentence of its own help, at most 62 characters."""

    name: str
    group: str
    summary: str

    @property
    def module(self) -> str:
        """The module that defines the command, as a function of the command's name."""
        return f"slipway.cli.{self.group.lower()}.{self.name}"


COMMANDS = tuple(
    Entry(name, group, summary)
    for group, commands in {
        "Develop": {
            "new": "Create a model folder from a training's file or a template.",
            "adopt": "Bring an existing Triton repository into models/.",
            "check": "Find mistakes in models without starting a server.",
            "lock": "Pin the Python packages of models, with hashes.",
            "build": "Build the artifacts of models.",
            "test": "Build models and test each on a real Triton server.",
            "tune": "Find the config that serves a model best, by measuring.",
            "run": "Serve a model on a local Triton server until Ctrl-C.",
            "train": "Run the stages of dvc.yaml that train each NAME.",
            "fold": "Move a postprocessing that is arithmetic into the ONNX graph.",
            "weights": "Put weights under DVC, convert, sign, send or fetch them.",
            "inspect": "Show what an artifact contains.",
            "cache": "Show or trim what Slipway keeps to save time.",
            "doctor": "Show what Slipway finds on this machine and what is missing.",
            "completion": "Print the completion script for a shell.",
        },
        "Release": {
            "publish": "Build models and publish them to a stage.",
            "image": "Make a container image of models, without an engine.",
            "promote": "Release in production what staging tested.",
            "rollback": "Serve the previous release of a model, or a given one.",
            "retire": "Stop serving a model under its name.",
            "status": "Show what staging and production serve of each model.",
            "history": "List what happened to a model, newest first.",
            "diff": "Show what differs between two artifacts or releases.",
            "lineage": "Show what a release was made from, and where it is served.",
            "bump": "Raise the release version of models as far as needed.",
            "evaluate": "Measure models and compare them with production.",
            "verify": "Compare every byte of releases with their records.",
            "prune": "Remove the artifacts of old releases.",
            "alias": "Show or set the releases that a model's alias serves.",
            "keys": "Create and list the keys that sign releases.",
        },
        "Endpoint": {
            "endpoint": "Serve a multi-model endpoint on this machine.",
            "invoke": "Invoke a model on an endpoint and print its answer.",
            "describe": "Show a model's inputs, outputs, releases and alias.",
            "client": "Write a typed Python client for a model.",
            "loadtest": "Measure the load that an endpoint can carry.",
            "breakdown": "Show where the time of a request goes: server and models.",
            "smoke": "Compare an endpoint's answers with the golden cases.",
            "token": "Issue and revoke tokens for an endpoint that asks for them.",
        },
        "Monitor": {
            "capture": "Show, export and forget captured requests.",
            "profile": "Sketch a model's reference data, to find drift against it.",
            "drift": "Compare what models are asked with their reference profiles.",
            "explain": "Explain why a model gave an answer, by asking it only.",
            "compare": "Compare two releases over captured requests, and decide.",
        },
        "Pipeline": {
            "affected": "List the models that a change affects.",
            "report": "Report what a branch changes in its models.",
            "notify": "Notify people of a release, a failure or a rollback.",
            "receive": "Take weights from a job of another project.",
            "propose": "Open a merge request for each retrained model.",
        },
        "Infrastructure": {
            "infra": "Plan and deploy the buckets, endpoints and roles in AWS.",
            "simulate": "Simulate a fleet of instances for many models.",
        },
        STEPS: {
            "environment": "Build an execution environment from a lock file.",
            "pack": "Pack a model and its environment into an artifact.",
        },
    }.items()
    for name, summary in commands.items()
)
BY_NAME = {entry.name: entry for entry in COMMANDS}
