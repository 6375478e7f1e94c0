"""Types and ranks of what Python models return: the forms that people write, and the fixes."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from slipway.check import Finding
from tests.check import fixture_repositories as repositories

STEP = "models/sound/sound_postprocessing/1/model.py"
RULES = ("SW516", "SW517", "SW561", "SW562", "SW563")
FIXTURES = [name for name in repositories.names() if name.startswith(RULES)]
LABEL = 'np.where(score[:, :1] >= score[:, 1:], b"open", b"closed").astype(np.object_)'
SCALED = "(score / np.maximum(length, 1)).astype(np.float32)"


@pytest.mark.parametrize("name", FIXTURES)
def test_the_fix_of_a_type_or_a_rank_works_when_it_is_followed(name: str, tmp_path: Path) -> None:
    repositories.make(name, tmp_path)
    (finding,) = repositories.find_all(tmp_path)
    _follow(finding)
    assert repositories.find_all(tmp_path) == []


@pytest.mark.parametrize(
    ("expression", "rules"),
    [
        ('np.where(score[:, :1] >= 1, "open", "closed")', ["SW561"]),
        ('np.array([["open"] for _ in score])', ["SW561"]),
        ('np.array([[f"{row[0]}"] for row in score])', ["SW561"]),
        ("np.array([[str(value)] for value in score[:, 0]])", ["SW561"]),
        ('np.array([["open"] for _ in score]).astype(object)', []),
        ('np.array([["open"] for _ in score], dtype=object)', []),
        ('np.array([[b"open"] for _ in score])', []),
        ('np.char.encode(np.array([["open"] for _ in score]), "utf-8")', []),
        ("np.array([[unknown(row)] for row in score])", []),
        ("np.argmax(score, axis=1, keepdims=True)", ["SW517"]),
        ("np.array([b'open'] * len(score), dtype=object)", ["SW563"]),
    ],
)
def test_a_label_is_text_of_two_dimensions(
    expression: str, rules: list[str], tmp_path: Path
) -> None:
    assert _found(tmp_path, LABEL, expression) == rules


@pytest.mark.parametrize(
    ("expression", "rules"),
    [
        ("score / np.maximum(length, 1)", ["SW517"]),
        ("score.mean(axis=1)", ["SW563"]),
        ("np.expand_dims(score[0], 0)", []),
        ("np.stack([score[:, 0], score[:, 1]], axis=1)", []),
        ("np.array(score.tolist())", ["SW517"]),
        ("np.array(score.tolist(), dtype=np.float32)", []),
        ("np.zeros((len(score), 2))", ["SW517"]),
        ("np.zeros((len(score), 2), np.float32)", []),
        ("np.zeros_like(score)", []),
        ("score * np.array([0.5, 0.5])", ["SW517"]),
        ("score * 0.5", []),
        ("1.0 - score", []),
        ("score.astype(np.float16)", ["SW517"]),
        ("(score > 0.5)", ["SW517"]),
        ("(score > 0.5) * score", []),
        ("score.flatten()", ["SW563"]),
        ("score[None, :]", ["SW563"]),
        ("np.exp(score) / np.exp(score).sum(axis=-1, keepdims=True)", []),
        ("np.linalg.norm(score, axis=1)", ["SW563"]),
        ("np.concatenate([score, np.ones((len(score), 1))], axis=1)", ["SW517"]),
        ("score.reshape(-1, *unknown)", []),
        ("score if unknown else score.astype(np.float64)", []),
    ],
)
def test_a_score_is_float32_of_two_dimensions(
    expression: str, rules: list[str], tmp_path: Path
) -> None:
    assert _found(tmp_path, SCALED, expression) == rules


def _found(root: Path, old: str, new: str) -> list[str]:
    repositories.make("good", root)
    path = root / STEP
    text = path.read_text(encoding="utf-8")
    assert old in text
    unknown = "unknown = __import__('os').environ.get('X')\n\n\nclass"
    path.write_text(text.replace(old, new).replace("class", unknown, 1), encoding="utf-8")
    return [finding.rule for finding in repositories.find_all(root)]


def _follow(finding: Finding) -> None:
    """Write the expression of a fix in the place of the one that was found."""
    location = finding.location
    text = location.file.read_text(encoding="utf-8")
    assert location.line is not None and location.column is not None
    node = next(
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.expr)
        and (node.lineno, node.col_offset + 1) == (location.line, location.column)
    )
    segment = ast.get_source_segment(text, node)
    assert segment is not None and text.count(segment) >= 1
    expression = finding.fix.split(", or ")[0]
    lines = text.splitlines(keepends=True)
    start = sum(map(len, lines[: location.line - 1])) + location.column - 1
    end = start + len(segment)
    location.file.write_text(text[:start] + expression + text[end:], encoding="utf-8")
