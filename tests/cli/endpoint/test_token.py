"""``slipway token``, and the options of ``slipway endpoint up`` that say who may ask."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from slipway import settings
from slipway.cli import main
from slipway.cli.endpoint.access_options import PROCESS, AccessOptions, access_lines
from slipway.endpoint.access.opening import Opening
from slipway.endpoint.access.tokens.reader import TokenReader
from slipway.errors import SlipwayError

REPOSITORY = Path(__file__).resolve().parents[3]
CALLERS = "[alice]\naws_access_key_id = AKIAALICE\naws_secret_access_key = a-secret\n"


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder: a repository with the environments of ``ci/infra``, and a caller."""
    (tmp_path / "slipway.toml").touch()
    shutil.copytree(REPOSITORY / "ci" / "infra", tmp_path / "ci" / "infra")
    callers = tmp_path / "callers.ini"
    callers.touch(0o600)
    callers.write_text(CALLERS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def reader(root: Path) -> TokenReader:
    return TokenReader(root / ".slipway" / "tokens")


def test_a_token_is_printed_once_and_alone(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["token", "create", "alice", "--target", "screen_*", "--expires", "12h"]) == 0
    output = capsys.readouterr()
    grant = reader(repository).read(output.out.strip())
    assert (grant.subject, grant.targets) == ("alice", ("screen_*",))
    assert grant.id in output.err and output.out.strip() not in output.err
    assert main(["token", "list", "--json"]) == 0
    (listed,) = json.loads(capsys.readouterr().out)
    assert (listed["id"], listed["revoked"]) == (grant.id, False)


def test_a_link_has_the_token_where_no_server_sees_it(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["token", "create", "bob", "--link", "http://192.0.2.7:8090/", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["link"] == f"http://192.0.2.7:8090/#token={printed['token']}"


def test_a_token_is_revoked_and_the_key_replaced(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["token", "create", "alice", "--json"])
    created = json.loads(capsys.readouterr().out)
    assert main(["token", "revoke", created["id"][:8]]) == 0
    assert main(["token", "list"]) == 0
    assert "revoked" in capsys.readouterr().out
    assert main(["token", "rotate", "--revoke"]) == 0
    assert "1 earlier keys are removed" in capsys.readouterr().out
    assert main(["token", "list"]) == 0
    assert capsys.readouterr().out == "no token is in force\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["create", "alice", "--expires", "soon"], "no time such as"),
        (["create", "alice", "--expires", "0h"], "no time such as"),
        (["create", "alice", "--expires", "400d"], "more than 366d"),
        (["create", "a\nb"], "names nobody"),
        (["create", "alice", "--action", "manage"], "'invoke', 'look'"),
        (["revoke", "abc"], "0 tokens"),
    ],
)
def test_a_mistake_is_named(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["token", *words]) == 1
    assert said in capsys.readouterr().err


DEFAULTS: dict[str, Any] = {
    "listen": "127.0.0.1",
    "host_names": (),
    "tokens": False,
    "tls_certificate": None,
    "tls_key": None,
}


def opening(root: Path, entry: dict[str, Any] | None = None, **process: Any) -> Opening:
    configured = settings.load(root)
    options = AccessOptions.taken_from({**DEFAULTS, **process})
    changed = settings.EndpointSettings("local", **(entry or {}))
    return options.opening(configured, [changed])


def test_by_default_nobody_is_asked(repository: Path) -> None:
    assert opening(repository).guard is None
    assert access_lines(repository, "http://127.0.0.1:1", opening(repository)) == []
    assert not (repository / ".slipway").exists()


def test_options_reach_a_process_in_the_background() -> None:
    given = {"listen": "::", "host_names": ("a", "b"), "tokens": True, "tls_key": Path("k")}
    assert set(DEFAULTS) == set(PROCESS)
    assert AccessOptions.taken_from({**DEFAULTS, **given}).arguments() == [
        "--listen=::", "--name=a", "--name=b", "--tokens", "--tls-key=k",
    ]  # fmt: skip


def test_a_token_is_in_no_file_of_the_background(repository: Path) -> None:
    opened = opening(repository, tokens=True, listen="0.0.0.0")
    lines = access_lines(repository, "http://127.0.0.1:1", opened)
    assert lines[0] == "Asks for tokens."
    assert "WARNING plain HTTP on 0.0.0.0" in lines[1]
    assert lines[2].endswith("slipway token create NAME --link http://127.0.0.1:1")
    assert "#token" not in "".join(lines)


def test_the_fix_for_an_open_address_works(repository: Path) -> None:
    with pytest.raises(SlipwayError, match="nothing would ask") as caught:
        opening(repository, listen="0.0.0.0")
    assert "--tokens" in str(caught.value.fix)
    guard = opening(repository, listen="0.0.0.0", tokens=True).guard
    assert guard is not None and guard.kinds == ["tokens"]


SIGNED = {"credentials": "callers.ini"}


def test_credentials_have_the_role_that_is_given(repository: Path) -> None:
    opened = opening(repository, {**SIGNED, "policies": "staging", "role": "Invoker"})
    assert opened.guard is not None and opened.guard.kinds == ["credentials"]
    # the stage's own environment, where none is named
    assert opening(repository, {**SIGNED, "role": "CiRole"}).guard is not None


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"credentials": "none.ini"}, "cannot read the credentials"),
        ({"policies": "staging"}, "no credentials are given"),
        ({**SIGNED, "policies": "staging"}, r"\[alice\] have no role"),
        ({**SIGNED, "policies": "nowhere"}, "no environment 'nowhere'"),
        ({**SIGNED, "role": "Nobody"}, "has no role 'Nobody'"),
    ],
)
def test_what_cannot_be_evaluated_stops_the_start(
    repository: Path, entry: dict[str, Any], said: str
) -> None:
    with pytest.raises(SlipwayError, match=said) as caught:
        opening(repository, entry)
    assert caught.value.fix


def test_a_question_is_answered_without_an_endpoint(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["infra", "may", "staging", "Invoker", "sagemaker:InvokeEndpoint"]
    assert main([*words, "--target-model", "a.tar.gz", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["allowed"] is True
    assert main(words) == 1
    assert "may not" in capsys.readouterr().out
    assert main([*words, "--key", "nonsense"]) == 1
    assert "no condition key" in capsys.readouterr().err
