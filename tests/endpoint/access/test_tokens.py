"""Tokens: what is issued is accepted for what it allows, and every other one is refused."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from slipway.endpoint.access.tokens import keys, record
from slipway.endpoint.access.tokens.grant import Grant
from slipway.endpoint.access.tokens.reader import TokenReader
from slipway.endpoint.access.tokens.token import LONGEST, BadToken, issue, read_token
from slipway.errors import SlipwayError

HOUR = timedelta(hours=1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where keys and the list of tokens are."""
    return tmp_path / "tokens"


def read(folder: Path, token: str) -> Grant:
    return read_token(token, keys.load_public_keys(folder), record.revoked_ids(folder))


def refusal(folder: Path, token: str) -> str:
    with pytest.raises(BadToken) as caught:
        read(folder, token)
    assert token not in str(caught.value) or not token
    return str(caught.value)


def test_a_token_says_what_it_allows(folder: Path) -> None:
    token, grant = issue(folder, "alice", HOUR, actions=("invoke",), targets=("screen_*",))
    assert read(folder, token) == grant
    assert grant.allows("invoke", "local", "screen_1.tar.gz")
    assert not grant.allows("invoke", "local", "adder.tar.gz")
    assert not grant.allows("invoke", "local", None)
    assert not grant.allows("look", "local", None)


def test_a_token_for_one_endpoint_is_for_no_other() -> None:
    now = datetime.now(UTC)
    grant = Grant("1", "alice", now, now, endpoints=("staging", "a*"))
    assert grant.allows("look", "staging", None) and grant.allows("look", "ab", None)
    assert not grant.allows("look", "production", None)
    assert replace(grant, endpoints=()).allows("look", "staging", None) is False


def test_keys_are_for_their_owner_alone(folder: Path) -> None:
    issue(folder, "alice", HOUR)
    assert (folder / keys.PRIVATE).stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_key_that_others_can_read_signs_nothing(folder: Path) -> None:
    issue(folder, "alice", HOUR)
    (folder / keys.PRIVATE).chmod(0o640)
    with pytest.raises(SlipwayError, match="others can read") as caught:
        issue(folder, "alice", HOUR)
    assert "slipway token rotate --revoke" in str(caught.value.fix)


def test_nothing_that_is_kept_is_a_token_or_in_a_list_of_them(folder: Path) -> None:
    token, _ = issue(folder, "alice", HOUR)
    for path in folder.rglob("*"):
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            assert token not in text and token.split(".")[2] not in text


def test_public_keys_are_enough_to_verify(folder: Path, tmp_path: Path) -> None:
    token, grant = issue(folder, "alice", HOUR)
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / keys.PUBLIC).mkdir(parents=True)
    for path in (folder / keys.PUBLIC).iterdir():
        (elsewhere / keys.PUBLIC / path.name).write_bytes(path.read_bytes())
    assert TokenReader(elsewhere).read(token) == grant


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The header and the claims of a token."""
    head, claims, _ = token.split(".")
    return tuple(json.loads(base64.urlsafe_b64decode(p + "==")) for p in (head, claims))


def encoded(value: Any) -> str:
    text = json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def resigned(folder: Path, token: str, header: dict[str, Any], claims: dict[str, Any]) -> str:
    """A token with other words, signed with the real key."""
    _, key = keys.load_private_key(folder)
    old_header, old_claims = parts(token)
    values = {k: v for k, v in {**old_claims, **claims}.items() if v is not None}
    signed = f"{encoded({**old_header, **header})}.{encoded(values)}"
    mark = base64.urlsafe_b64encode(key.sign(signed.encode())).rstrip(b"=").decode()
    return f"{signed}.{mark}"


def with_public_key_as_secret(folder: Path, token: str) -> str:
    """HS256, with the bytes of the public key as its secret: alg confusion."""
    header, claims = parts(token)
    pem = next((folder / keys.PUBLIC).iterdir()).read_bytes()
    signed = f"{encoded({**header, 'alg': 'HS256'})}.{encoded(claims)}"
    mark = hmac.new(pem, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(mark).rstrip(b'=').decode()}"


def by_another_key(folder: Path, token: str) -> str:
    """Signed by the attacker's key, under the name of ours."""
    header, claims = parts(token)
    return jwt.encode(claims, Ed25519PrivateKey.generate(), "EdDSA", headers=header)


def with_its_own_key(folder: Path, token: str) -> str:
    """A header that brings the key it wants to be verified with."""
    header, claims = parts(token)
    other = Ed25519PrivateKey.generate()
    raw = base64.urlsafe_b64encode(other.public_key().public_bytes_raw()).rstrip(b"=").decode()
    brought = {"kty": "OKP", "crv": "Ed25519", "x": raw}
    return jwt.encode(
        claims, other, "EdDSA", headers={**header, "jwk": brought, "jku": "http://127.0.0.1:1/"}
    )


NOW = int(time.time())
FAR = 10**7
HOSTILE: dict[str, Callable[[Path, str], str]] = {
    "none": lambda f, t: f"{encoded({**parts(t)[0], 'alg': 'none'})}.{t.split('.')[1]}.",
    "none, signed": lambda f, t: resigned(f, t, {"alg": "none"}, {}),
    "NoNe": lambda f, t: resigned(f, t, {"alg": "NoNe"}, {}),
    "HS256 with the public key": with_public_key_as_secret,
    "another key": by_another_key,
    "a key of its own": with_its_own_key,
    "unknown key id": lambda f, t: resigned(f, t, {"kid": "../public"}, {}),
    "key id of another kind": lambda f, t: resigned(f, t, {"kid": [1]}, {}),
    "no key id": lambda f, t: resigned(f, t, {"kid": ""}, {}),
    "another type": lambda f, t: resigned(f, t, {"typ": "JWT"}, {}),
    "critical extension": lambda f, t: resigned(f, t, {"crit": ["b64"], "b64": False}, {}),
    "expired": lambda f, t: resigned(f, t, {}, {"exp": NOW - 120}),
    "not yet": lambda f, t: resigned(f, t, {}, {"nbf": NOW + FAR}),
    "issued later": lambda f, t: resigned(f, t, {}, {"iat": NOW + FAR}),
    "never expires": lambda f, t: resigned(f, t, {}, {"exp": None}),
    "expires at no number": lambda f, t: resigned(f, t, {}, {"exp": "never"}),
    "expires beyond time": lambda f, t: resigned(f, t, {}, {"exp": 10**30}),
    "another audience": lambda f, t: resigned(f, t, {}, {"aud": "elsewhere"}),
    "several audiences": lambda f, t: resigned(f, t, {}, {"aud": ["slipway-endpoint", "b"]}),
    "another issuer": lambda f, t: resigned(f, t, {}, {"iss": "elsewhere"}),
    "no subject": lambda f, t: resigned(f, t, {}, {"sub": None}),
    "no id": lambda f, t: resigned(f, t, {}, {"jti": None}),
    "targets are a text": lambda f, t: resigned(f, t, {}, {"targets": "*"}),
    "targets are numbers": lambda f, t: resigned(f, t, {}, {"targets": [1]}),
    "other claims": lambda f, t: ".".join([t.split(".")[0], encoded({}), t.split(".")[2]]),
    "cut off": lambda f, t: t[:-4],
    "bad base64": lambda f, t: t[:-1] + "!",
    "two parts": lambda f, t: ".".join(t.split(".")[:2]),
    "five parts": lambda f, t: t + ".a.b",
    "empty": lambda f, t: "",
    "dots": lambda f, t: "..",
    "no text": lambda f, t: "\udcff" + t,
    "null": lambda f, t: "bnVsbA.bnVsbA.AA",
    "deep": lambda f, t: base64.urlsafe_b64encode(b"[" * 2000).decode().rstrip("=") + ".e30.AA",
    "huge": lambda f, t: t + "A" * LONGEST,
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_token_is_refused(folder: Path, kind: str) -> None:
    token, _ = issue(folder, "alice", HOUR)
    refusal(folder, HOSTILE[kind](folder, token))
    read(folder, token)


def test_a_clock_may_be_a_little_wrong(folder: Path) -> None:
    token, _ = issue(folder, "alice", HOUR)
    read(folder, resigned(folder, token, {}, {"nbf": NOW + 30, "iat": NOW}))


def test_a_revoked_token_is_refused_and_the_others_are_not(folder: Path) -> None:
    first, grant = issue(folder, "alice", HOUR)
    second, _ = issue(folder, "bob", HOUR)
    reader = TokenReader(folder)
    reader.read(first)
    record.revoke(folder, (grant.id[:12],))
    assert refusal(folder, first) == "it was revoked"
    read(folder, second)
    reader._checked -= 2  # as if two seconds had passed
    with pytest.raises(BadToken):
        reader.read(first)
    reader.read(second)


def test_what_names_no_token_revokes_none(folder: Path) -> None:
    token, grant = issue(folder, "alice", HOUR)
    with pytest.raises(SlipwayError, match="0 tokens"):
        record.revoke(folder, (grant.id, "zz"))
    read(folder, token)
    with pytest.raises(SlipwayError, match="2 tokens"):
        issue(folder, "bob", HOUR)
        record.revoke(folder, ("",))


def test_a_list_that_cannot_be_read_lets_nobody_in(folder: Path) -> None:
    token, _ = issue(folder, "alice", HOUR)
    reader = TokenReader(folder)
    (folder / record.FILE).write_text("[", encoding="utf-8")
    reader._checked -= 2
    with pytest.raises(BadToken):
        reader.read(token)
    with pytest.raises(SlipwayError, match="cannot be read") as caught:
        TokenReader(folder)
    # the fix, as the command does it
    kid = keys.create_key(folder)
    keys.remove_other_keys(folder, kid)
    record.clear(folder)
    assert caught.value.fix == "slipway token rotate --revoke"
    TokenReader(folder)


def test_an_earlier_key_verifies_until_it_is_removed(folder: Path) -> None:
    token, _ = issue(folder, "alice", HOUR)
    kid = keys.create_key(folder)
    later, _ = issue(folder, "alice", HOUR)
    read(folder, token)
    assert keys.remove_other_keys(folder, kid) == 1
    assert "its key is unknown" in refusal(folder, token)
    read(folder, later)


def test_a_file_that_is_no_key_is_named(folder: Path) -> None:
    issue(folder, "alice", HOUR)
    rsa = folder / keys.PUBLIC / "other.pem"
    rsa.write_bytes(
        Ed25519PrivateKey.generate()
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    with pytest.raises(SlipwayError, match="not an ed25519 key of Slipway"):
        keys.load_public_keys(folder)


def test_there_is_a_limit_of_keys_and_tokens(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "MOST", 2)
    monkeypatch.setattr(keys, "MOST", 1)
    for _ in range(2):
        issue(folder, "alice", HOUR)
    with pytest.raises(SlipwayError, match="2 tokens have not expired"):
        issue(folder, "alice", HOUR)
    keys.create_key(folder)
    with pytest.raises(SlipwayError, match="2 keys verify tokens"):
        keys.load_public_keys(folder)


def test_expired_tokens_leave_the_list(folder: Path) -> None:
    issue(folder, "alice", timedelta(seconds=-1))
    assert record.read_issued(folder) == {}
