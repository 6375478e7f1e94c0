"""The playground in front of containers: bytes in, bytes out."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from slipway.endpoint.serving import RunningEndpoints
from slipway.settings import Settings
from tests.endpoint.containers import sample
from tests.endpoint.playground.shop import Asked, text
from tests.endpoint.playground.test_paste import KINDS, run


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_a_container_is_asked_and_its_code_gets_the_same_answer(
    running: RunningEndpoints, repository: Settings, tmp_path: Path
) -> None:
    first = Asked(running.url, "releases").json["choices"][0]
    described = Asked(running.url, f"release?target={first['target']}").json
    assert described["container"]
    body = {
        "target": first["target"],
        "rows": [{"BODY": text(sample.ROW)}],
        "content_type": "text/csv",
        "accept": "text/csv",
    }
    answer = Asked(running.url, "ask", body).json["answer"]
    assert answer["body"]["text"].count(",") == 2
    for kind in KINDS:
        said = run(kind, answer["code"][kind], repository.root)
        assert answer["body"]["text"] in said
    error = Asked(running.url, "explain", body).json["error"]
    assert "answers of containers are not explained" in error["what"]


def test_a_body_without_a_content_type_is_refused(running: RunningEndpoints) -> None:
    first = Asked(running.url, "releases").json["choices"][0]
    body = {"target": first["target"], "rows": [{"BODY": text("x")}]}
    error = Asked(running.url, "ask", body).json["answer"]["error"]
    assert "the content type is missing" in error["what"]
