"""The file that says where an endpoint answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from slipway.endpoint import registry
from slipway.errors import SlipwayError

PLACE = Path(".slipway") / "endpoints" / "local.json"


def test_it_is_there_while_the_block_runs(tmp_path: Path) -> None:
    with registry.register(tmp_path, ["local", "production"], "http://127.0.0.1:8090"):
        assert registry.find_url(tmp_path, "local") == registry.find_url(tmp_path, "production")
        said = json.loads((tmp_path / PLACE).read_bytes())
        assert said == {"url": "http://127.0.0.1:8090", "pid": os.getpid()}
    assert not (tmp_path / PLACE).exists()


def test_an_error_in_the_block_removes_it_too(tmp_path: Path) -> None:
    with (
        pytest.raises(ZeroDivisionError),
        registry.register(tmp_path, ["local"], "http://127.0.0.1:8090"),
    ):
        raise ZeroDivisionError
    assert not (tmp_path / PLACE).exists()


def test_where_none_is_up_the_command_that_starts_it_is_named(tmp_path: Path) -> None:
    with pytest.raises(SlipwayError, match="'local' is not running") as caught:
        registry.find_url(tmp_path, "local")
    assert caught.value.fix and "slipway endpoint up --endpoint local" in caught.value.fix


def test_an_endpoint_that_is_up_is_not_written_over(tmp_path: Path) -> None:
    with registry.register(tmp_path, ["local"], "http://127.0.0.1:1"):
        with (
            pytest.raises(SlipwayError, match="is already running") as caught,
            registry.register(tmp_path, ["production", "local"], "http://127.0.0.1:2"),
        ):
            raise AssertionError
        assert caught.value.fix
        assert registry.find_url(tmp_path, "local") == "http://127.0.0.1:1"
    assert not list((tmp_path / PLACE).parent.iterdir())


def test_what_a_dead_process_left_counts_for_nothing_and_is_written_over(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    (tmp_path / PLACE).parent.mkdir(parents=True)
    (tmp_path / PLACE).write_text(json.dumps({"url": "http://127.0.0.1:1", "pid": dead.pid}))
    with pytest.raises(SlipwayError, match="is not running"):
        registry.find_url(tmp_path, "local")
    with registry.register(tmp_path, ["local"], "http://127.0.0.1:2"):
        assert registry.find_url(tmp_path, "local") == "http://127.0.0.1:2"


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"pid": "x", "url": 1}', "null", "\udcff"])
def test_a_broken_file_counts_for_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / PLACE).parent.mkdir(parents=True)
    (tmp_path / PLACE).write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(SlipwayError, match="is not running"):
        registry.find_url(tmp_path, "local")
