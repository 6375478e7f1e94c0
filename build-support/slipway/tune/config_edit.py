"""Change a ``config.pbtxt`` as a candidate says, and keep its comments and its format."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from google.protobuf import text_format

from slipway.check.finding import Edit
from slipway.check.fix.edits import edited
from slipway.errors import SlipwayError
from slipway.triton import onnx_parameters
from slipway.triton.config import FILE_NAME, ModelConfig, parse_config, schema
from slipway.triton.pbtxt import FieldPath, Fields
from slipway.tune.candidate import (
    BATCHING,
    INSTANCES,
    MAX_BATCH,
    OFF,
    PREFERRED,
    THREADS,
    Candidate,
    Value,
    describe_value,
)

THREADS_VALUE: FieldPath = ("parameters", onnx_parameters.INTRA_OP, "value", "string_value")


def changes_of(candidate: Candidate, model: str) -> dict[str, Value]:
    """Return what ``candidate`` sets in the model's config, by knob."""
    return {change.name: change.value for change in candidate if change.model == model}


def edit_config(text: str, changes: Mapping[str, Value], where: str) -> str:
    """Return the text of a config with ``changes``, by knob; precision is not in configs.

    What does not change keeps its place and its comments, but for comments in a batcher's block
    that changes. A model that asks for a GPU and gets a count is placed on the CPU.

    Raises:
        SlipwayError: the text is no config, or of a form that this cannot change.
    """
    wanted = change_message(parse_config(text, where=where), changes)
    newline = "\r\n" if "\r\n" in text else "\n"
    for name, value in changes.items():
        before = text
        if name == INSTANCES:
            text = _instances(text, int(value))
        elif name == THREADS:
            block = f'parameters {{\n  key: "{onnx_parameters.INTRA_OP}"\n  value {{\n'
            block += f'    string_value: "{value}"\n  }}\n}}\n'
            text = _set(text, THREADS_VALUE, f'"{value}"', block)
        elif name == MAX_BATCH:
            text = _set(text, ("max_batch_size",), str(value), f"max_batch_size: {value}\n")
        if text != before:
            text = re.sub(r"(?<!\r)\n", newline, text)
    if {BATCHING, PREFERRED} & set(changes):
        text = re.sub(r"(?<!\r)\n", newline, _batcher(text, wanted))
    if parse_config(text, where=where) != wanted:
        wishes = ", ".join(describe_value(name, value) for name, value in changes.items())
        raise SlipwayError(
            "its form is one that is not changed here", where=where, fix=f"set by hand: {wishes}"
        )
    return text


def change_message(config: ModelConfig, changes: Mapping[str, Value]) -> ModelConfig:
    """Return a copy of a parsed config with ``changes``."""
    wanted = schema().ModelConfig()
    wanted.CopyFrom(config)
    kinds = schema().ModelInstanceGroup
    if INSTANCES in changes:
        group = wanted.instance_group[0] if wanted.instance_group else wanted.instance_group.add()
        group.count = int(changes[INSTANCES])
        if group.kind not in (kinds.KIND_CPU, kinds.KIND_MODEL):
            group.kind = kinds.KIND_CPU
    if THREADS in changes:
        wanted.parameters[onnx_parameters.INTRA_OP].string_value = str(changes[THREADS])
    if MAX_BATCH in changes:
        wanted.max_batch_size = int(changes[MAX_BATCH])
    delay = changes.get(BATCHING)
    if delay == OFF:
        wanted.ClearField("dynamic_batching")
    elif delay is not None:
        wanted.dynamic_batching.SetInParent()
        wanted.dynamic_batching.max_queue_delay_microseconds = int(delay)
    if PREFERRED in changes and wanted.HasField("dynamic_batching"):
        size = int(changes[PREFERRED])
        wanted.dynamic_batching.preferred_batch_size[:] = [size] if size else []
    return wanted


def edit_file(path: Path, changes: Mapping[str, Value]) -> None:
    """Replace the config at ``path``; a file that it shares with another folder stays as it is."""
    text = edit_config(path.read_text(encoding="utf-8"), changes, str(path))
    path.unlink()
    path.write_text(text, encoding="utf-8")


def config_file(folder: Path, model: str) -> Path:
    """Return the config of a model in the folder of a repository."""
    return folder / model / FILE_NAME


def _fields(text: str) -> Fields:
    return Fields(text, schema().ModelConfig.DESCRIPTOR)


def _set(text: str, path: FieldPath, value: str, block: str) -> str:
    """Return the text with ``value`` at ``path``, or with ``block`` at its end."""
    span = _fields(text).spans.get(path)
    if span is None:
        return _append(text, block)
    return edited(text, [Edit(Path(), span.value, span.end, value)])


def _append(text: str, block: str) -> str:
    return f"{text}{'' if not text or text.endswith(chr(10)) else chr(10)}{block}"


def _instances(text: str, count: int) -> str:
    group: FieldPath = ("instance_group", 0)
    fields = _fields(text)
    if group not in fields.spans:
        return _append(text, f"instance_group {{\n  kind: KIND_CPU\n  count: {count}\n}}\n")
    edits, inserted = [], []
    kind = fields.spans.get((*group, "kind"))
    word = "" if kind is None else text[kind.value : kind.end]
    if word not in ("KIND_CPU", "KIND_MODEL"):
        if kind is None:
            inserted.append("kind: KIND_CPU")
        else:
            edits.append(Edit(Path(), kind.value, kind.end, "KIND_CPU"))
    span = fields.spans.get((*group, "count"))
    if span is None:
        inserted.append(f"count: {count}")
    else:
        edits.append(Edit(Path(), span.value, span.end, str(count)))
    if inserted:
        inside = fields.spans[group].value + 1
        rest = "" if text[inside:].lstrip(" \t\r")[:1] == "\n" else "\n"
        lines = "".join(f"\n  {line}" for line in inserted) + rest
        edits.append(Edit(Path(), inside, inside, lines))
    return edited(text, edits)


def _batcher(text: str, wanted: ModelConfig) -> str:
    span = _fields(text).spans.get(("dynamic_batching",))
    if not wanted.HasField("dynamic_batching"):
        if span is None:
            return text
        rest = re.compile(r"[ \t]*[,;]?[ \t]*\r?\n?").match(text, span.end)
        return edited(text, [Edit(Path(), span.start, rest.end() if rest else span.end, "")])
    inside = text_format.MessageToString(wanted.dynamic_batching, as_utf8=True)
    lines = "".join(f"  {line}\n" for line in inside.splitlines())
    block = f"dynamic_batching {{\n{lines}}}"
    if span is None:
        return _append(text, f"{block}\n")
    return edited(text, [Edit(Path(), span.start, span.end, block)])
