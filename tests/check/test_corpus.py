"""Valid models pass: no model of the corpus has an error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from slipway.check import check
from slipway.settings import load
from slipway.triton import config
from slipway.triton.field_kinds import is_repeated
from tests.check import corpus

type Message = Any


@pytest.mark.parametrize("name", corpus.names())
def test_a_valid_model_has_no_error(name: str, tmp_path: Path) -> None:
    findings = check([corpus.make(name, tmp_path)], load(tmp_path))
    errors = [
        f"{finding.location}: {finding.rule} {finding.what}"
        for finding in findings
        if finding.severity == "error"
    ]
    assert errors == []


def test_the_corpus_covers_the_schema() -> None:
    """Some config of the corpus uses every message of Triton's schema."""
    used: set[str] = set()
    for path in corpus.CORPUS.glob("*/*/config.pbtxt"):
        used |= _messages(config.load_config(path))
    assert len(corpus.names()) >= 40
    assert _all_messages(config.schema().ModelConfig.DESCRIPTOR) - used == set()


def _messages(message: Message) -> set[str]:
    findings = {message.DESCRIPTOR.full_name}
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        if field.message_type.GetOptions().map_entry:
            kind = field.message_type.fields_by_name["value"].message_type
            values = list(value.values()) if kind is not None else []
        else:
            values = list(value) if is_repeated(field) else [value]
        for finding in values:
            findings |= _messages(finding)
    return findings


def _all_messages(descriptor: Any) -> set[str]:
    if descriptor.GetOptions().map_entry:
        kind = descriptor.fields_by_name["value"].message_type
        return _all_messages(kind) if kind is not None else set()
    kinds = [field.message_type for field in descriptor.fields if field.message_type is not None]
    return {descriptor.full_name}.union(*map(_all_messages, kinds))
