"""``[pipeline]`` of ``slipway.toml``: a remote cache, its tokens, remote execution."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from slipway import settings
from slipway.errors import SlipwayError
from slipway.settings.pants import pants_variables
from slipway.settings.remote import VARIABLES, WRITE_TOKEN, Address, RemoteSettings

CACHE = '[pipeline]\nremote-cache = "grpcs://cache.example:443"\n'
TOKEN = "eyJhbGciOiJIUzI1NiJ9.secret.signature"


@pytest.fixture(autouse=True)
def without_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*VARIABLES.values(), WRITE_TOKEN):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def tokens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files of both tokens, as a protected branch's job has them."""
    for name, variable in (("read", VARIABLES["remote-cache-token"]), ("write", WRITE_TOKEN)):
        (tmp_path / name).write_text(f"{TOKEN}\n")
        monkeypatch.setenv(variable, str(tmp_path / name))


def load(folder: Path, text: str) -> RemoteSettings:
    (folder / "slipway.toml").write_text(text)
    return settings.load(folder).remote


def test_without_the_table_pants_gets_no_option(tmp_path: Path) -> None:
    assert pants_variables(load(tmp_path, ""), {}) == ({}, [])


def test_a_laptop_reads_and_writes_nothing(tmp_path: Path) -> None:
    variables, notes = pants_variables(load(tmp_path, CACHE), {})
    assert variables["PANTS_REMOTE_STORE_ADDRESS"] == "grpcs://cache.example:443"
    assert variables["PANTS_REMOTE_CACHE_READ"] == "true"
    assert variables["PANTS_REMOTE_CACHE_WRITE"] == "false"
    assert notes == [] and "PANTS_REMOTE_EXECUTION" not in variables


def test_files_are_relative_to_the_repository(tmp_path: Path) -> None:
    text = CACHE + 'remote-cache-ca = "ci/ca.pem"\nremote-cache-token = "~/token"\n'
    remote = load(tmp_path, text)
    assert remote.authority == tmp_path / "ci/ca.pem"
    assert remote.token == Path.home() / "token"


@pytest.mark.usefixtures("tokens")
def test_a_protected_branch_writes_with_the_token_of_those_who_may(tmp_path: Path) -> None:
    remote = load(tmp_path, CACHE)
    variables, _ = pants_variables(remote, {"CI": "true", "CI_COMMIT_REF_PROTECTED": "true"})
    assert variables["PANTS_REMOTE_CACHE_WRITE"] == "true"
    assert float(variables["PANTS_SESSION_END_TASKS_TIMEOUT"]) > 60
    assert variables["PANTS_REMOTE_OAUTH_BEARER_TOKEN_PATH"] == str(tmp_path / "write")


@pytest.mark.usefixtures("tokens")
@pytest.mark.parametrize("protected", ["false", ""])
def test_another_branch_never_writes_even_if_it_has_the_token(
    tmp_path: Path, protected: str
) -> None:
    environment = {"CI": "true", "CI_COMMIT_REF_PROTECTED": protected}
    variables, notes = pants_variables(load(tmp_path, CACHE), environment)
    assert variables["PANTS_REMOTE_CACHE_WRITE"] == "false"
    assert variables["PANTS_REMOTE_OAUTH_BEARER_TOKEN_PATH"] == str(tmp_path / "read")
    assert "protect the variable" in notes[0]


@pytest.mark.usefixtures("tokens")
def test_a_password_in_the_index_s_address_is_not_written_to_the_cache(tmp_path: Path) -> None:
    index = {"PIP_INDEX_URL": "https://user:hunter2@index.example/simple"}
    variables, notes = pants_variables(load(tmp_path, CACHE), index)
    assert variables["PANTS_REMOTE_CACHE_WRITE"] == "false"
    assert "PIP_INDEX_URL" in notes[0] and "hunter2" not in repr((variables, notes))


def test_a_laptop_turns_it_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLES["remote-cache"], "off")
    assert load(tmp_path, CACHE) == RemoteSettings()


def test_workers_that_are_not_reached_leave_the_steps_to_this_machine(tmp_path: Path) -> None:
    text = (
        '[pipeline]\nremote-cache = "grpc://127.0.0.1:1"\nremote-execution = "grpc://127.0.0.1:1"\n'
    )
    variables, notes = pants_variables(load(tmp_path, text), {})
    assert "PANTS_REMOTE_EXECUTION" not in variables
    assert variables["PANTS_REMOTE_CACHE_READ"] == "true"
    assert notes == ["grpc://127.0.0.1:1 is not reached, so steps run here"]


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ('remote-cache = "cache.example:443"', "not an address of the Remote Execution API"),
        ('remote-cache = "https://cache.example"', "not an address"),
        ("remote-cache = true", "remote-cache is True"),
        ('remote-cash = "grpc://a:1"', "unknown pipeline.remote-cash"),
        ('remote-cache = "grpc://a:1"\nremote-execution = "a:1"', "remote-execution is not an"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, line: str, what: str) -> None:
    with pytest.raises(SlipwayError, match=what):
        load(tmp_path, f"[pipeline]\n{line}\n")


@pytest.mark.parametrize("key", list(VARIABLES))
def test_the_text_that_the_fix_names_is_taken(tmp_path: Path, key: str) -> None:
    before = "" if key == "remote-cache" else CACHE.removeprefix("[pipeline]\n")
    with pytest.raises(SlipwayError, match=f"{key} is False") as raised:
        load(tmp_path, f"[pipeline]\n{before}{key} = false\n")
    line = str(raised.value.fix).removeprefix("a text, such as ")
    assert line.startswith(f'{key} = "')
    load(tmp_path, f"[pipeline]\n{before}{line}\n")


@pytest.mark.parametrize("key", ["remote-cache", "remote-execution"])
def test_the_addresses_that_the_fix_names_are_taken(tmp_path: Path, key: str) -> None:
    before = "" if key == "remote-cache" else CACHE.removeprefix("[pipeline]\n")
    with pytest.raises(SlipwayError, match="not an address") as raised:
        load(tmp_path, f'[pipeline]\n{before}{key} = "cache.example"\n')
    address, off = str(raised.value.fix).removeprefix(f"{key} = ").split(", or ")
    load(tmp_path, f"[pipeline]\n{before}{key} = {address}\n")
    assert load(tmp_path, f"[pipeline]\n{before}{key} = {off}\n").execution is None


def test_a_key_that_is_unknown_is_removed_or_a_known_one(tmp_path: Path) -> None:
    with pytest.raises(SlipwayError, match=r"unknown pipeline\.remote-cash") as raised:
        load(tmp_path, '[pipeline]\nremote-cash = "grpc://a:1"\n')
    removed, known = str(raised.value.fix).split("; known are: ")
    assert removed == "remove it" and set(known.split(", ")) == set(VARIABLES)
    load(tmp_path, "[pipeline]\n")


@pytest.mark.parametrize(
    ("variable", "where"),
    [
        (VARIABLES["remote-cache-token"], "[pipeline] of slipway.toml, or "),
        (VARIABLES["remote-cache-ca"], "[pipeline] of slipway.toml, or "),
        (WRITE_TOKEN, ""),
    ],
)
def test_a_token_in_place_of_its_file_is_not_shown_and_is_taken_in_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, where: str
) -> None:
    monkeypatch.setenv(variable, TOKEN)
    with pytest.raises(SlipwayError, match="does not name a file") as raised:
        load(tmp_path, CACHE).verify()
    assert TOKEN not in str(raised.value) and "type File" in str(raised.value)
    assert raised.value.where == f"{where}{variable}"
    (tmp_path / "token").write_text(TOKEN)
    monkeypatch.setenv(variable, "token")
    load(tmp_path, CACHE).verify()


@pytest.mark.usefixtures("tokens")
def test_no_token_leaves_the_machine_without_encryption(tmp_path: Path) -> None:
    load(tmp_path, CACHE.replace("cache.example", "127.0.0.1").replace("grpcs", "grpc")).verify()
    plain = load(tmp_path, CACHE.replace("grpcs", "grpc"))
    with pytest.raises(SlipwayError, match="without encryption") as raised:
        plain.verify()
    assert raised.value.fix == "grpcs://cache.example:443, or no token"
    replace(plain, cache=Address("grpcs://cache.example:443")).verify()
    replace(plain, token=None, write_token=None).verify()
