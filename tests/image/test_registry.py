"""A registry that asks for a password: pushed to, and the source of a base."""

from __future__ import annotations

import base64
import json
import shutil
from pathlib import Path

import pytest

from slipway.errors import SlipwayError
from slipway.image import skopeo as program
from slipway.image.base import open_base
from slipway.image.layout import digest_of
from slipway.image.output import send
from slipway.image.references import InRegistry
from tests.image.made import attached_to, make, repository
from tests.image.registry import registry, skopeo
from tests.release.sample_releases import write_artifact

USER, PASSWORD = "tester", "pass-of-a-test"
HASH = "$2b$04$abcdefghijklmnopqrstuuEgRivkm9TFmLeNilXHbRyx/r0SU36x."


@pytest.fixture(autouse=True)
def programs() -> None:
    for name in ("skopeo", "docker-registry"):
        if shutil.which(name) is None:
            pytest.skip(f"{name} is not installed")


def credentials(folder: Path, host: str) -> Path:
    secret = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    file = folder / "auth.json"
    file.write_text(json.dumps({"auths": {host: {"auth": secret}}}))
    return file


def test_an_image_is_pushed_and_becomes_a_base_with_a_file_of_credentials(
    tmp_path: Path, slipway_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(tmp_path / "none.json"))
    image = make(tmp_path, write_artifact(tmp_path / "dist"))
    (tmp_path / "htpasswd").write_text(f"{USER}:{HASH}\n")
    with registry(tmp_path, passwords=tmp_path / "htpasswd") as host:
        place = InRegistry(host, f"{host}/ml/m", "1.0.0")
        with pytest.raises(SlipwayError) as refused:
            send(image, place, None)
        assert f"skopeo login {host}" in str(refused.value.fix)
        assert not list((tmp_path / "registry").rglob("link"))
        authfile = credentials(tmp_path, host)
        send(image, place, authfile)
        access = ["--tls-verify=false", f"--authfile={authfile}"]
        raw = skopeo("inspect", "--raw", *access, f"docker://{place}")
        index = skopeo("inspect", "--raw", *access, f"docker://{place.repository}:{image.index}")
        for entry in json.loads(index)["manifests"]:
            pinned = f"docker://{place.repository}@{entry['digest']}"
            manifest = json.loads(skopeo("inspect", "--raw", *access, pinned))
            assert manifest["subject"]["digest"] == image.digest
        base = image.layout.root.parent / "base"
        other = InRegistry(host, f"{host}/base", "25.04")
        program.push(f"oci:{base}:base", other, authfile)
        settings = repository(tmp_path)
        fetched = open_base(other, settings, authfile)
    assert digest_of(raw.encode()) == image.digest
    assert len(json.loads(index)["manifests"]) == len(attached_to(image))
    assert fetched.uri == f"docker://{other}"
    # the registry is away, and what was fetched by its digest is in the cache
    again = open_base(InRegistry(host, f"{host}/base", None, fetched.digest), settings)
    assert again.digest == fetched.digest


def test_a_registry_that_is_away_is_an_error_with_a_fix(tmp_path: Path) -> None:
    image = make(tmp_path, write_artifact(tmp_path / "dist"))
    with pytest.raises(SlipwayError, match="pushing 127.0.0.1:9/m:1: skopeo failed") as refused:
        send(image, InRegistry("127.0.0.1:9", "127.0.0.1:9/m", "1"), None)
    assert "check that 127.0.0.1:9 can be reached" in str(refused.value.fix)
