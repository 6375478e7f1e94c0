"""Tests on another machine, where a ``tritonserver`` is on PATH: recorded there, promoted here."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

import slipway
from slipway.archive.writer import TarGzWriter
from slipway.artifact.artifact import Artifact
from slipway.artifact.manifest import Manifest
from slipway.catalog.catalog import Catalog
from slipway.cli import main
from slipway.release.evidence import evidence
from slipway.release.metadata import ReleaseMetadata
from slipway.release.publish import publish
from slipway.server import backends, source
from slipway.settings import load
from slipway.store.open import open_stage
from tests import fixture_models
from tests.release.sample_releases import DEV

SHIM = """#!/bin/sh
# the wheel's server, where NVIDIA's container has its own
export LD_LIBRARY_PATH={libraries}
export PATH={python}:$PATH
exec {program} --backend-directory={backends} "$@"
"""


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    """The artifact of the identity model, release 1.0.0."""
    model = fixture_models.copy("identity", tmp_path / "built")
    plain = fixture_models.pack(model, tmp_path / "plain.tar.gz")
    artifact = tmp_path / "identity_1.0.0.tar.gz"
    with tarfile.open(plain) as read:
        members = {
            member: file.read()
            for member in read
            if member.isfile() and (file := read.extractfile(member)) is not None
        }
    configs = {m.name: data for m, data in members.items() if m.name.endswith("config.pbtxt")}
    manifest = Manifest(
        name="identity",
        version="1.0.0",
        serves="identity_pipeline",
        sources={name: hashlib.sha256(data).hexdigest() for name, data in configs.items()},
        weights={},
        environment=None,
        builder="slipway 0.1.0",
    )
    with artifact.open("wb") as file, TarGzWriter(file) as writer:
        # what is read of an artifact without its files comes first
        writer.add_bytes("identity_pipeline/1/manifest.json", manifest.dump())
        for name, data in configs.items():
            writer.add_bytes(name, data)
        for member, data in members.items():
            if member.name not in configs:
                writer.add_bytes(member.name, data, member.mode)
    return artifact


def checkout(folder: Path) -> Path:
    shutil.copytree(fixture_models.MODELS / "identity", folder / "models" / "identity")
    (folder / "slipway.toml").write_text(
        '[release]\nstore = "store"\n[release.production]\nclean_commit = false\n',
        encoding="utf-8",
    )
    return folder


def tritonserver_on_path(folder: Path) -> Path:
    """A folder for PATH, in what is laid out as NVIDIA's container is."""
    settings = load(folder)
    wheel = next(found for found in source.candidates(settings) if found.kind == "wheel")
    server = folder / "opt" / "tritonserver"
    (server / "bin").mkdir(parents=True)
    (server / "TRITON_VERSION").write_text("2.51.0\n", encoding="utf-8")
    prepared = backends.prepare(wheel, settings.python)
    for name in ("python", "onnxruntime"):
        (server / "backends" / name).mkdir(parents=True)
    libraries = ":".join(map(str, backends.library_folders(wheel, settings.python)))
    program = server / "bin" / "tritonserver"
    program.write_text(
        SHIM.format(
            libraries=libraries,
            python=Path(sys.base_prefix) / "bin",
            program=wheel.program,
            backends=prepared,
        ),
        encoding="utf-8",
    )
    program.chmod(0o755)
    return program.parent


def test_what_a_machine_with_tritonserver_on_path_records_is_promoted_on_another(
    tmp_path: Path,
    artifact: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    there, here = checkout(tmp_path / "there"), checkout(tmp_path / "here")
    command = [sys.executable, "-m", "slipway", "test", "identity", "--artifact", str(artifact)]
    environment = os.environ | {
        "PYTHONPATH": str(Path(slipway.__file__).parent.parent),
        "PATH": f"{tritonserver_on_path(there)}:{os.environ['PATH']}",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "GITLAB_USER_LOGIN": "gpu-runner",
    }
    done = subprocess.run(
        [*command, "--record", "identity.tests.json"],
        cwd=there,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "identity.tests.json: 1 of 1 tests passed in " in done.stdout
    assert ", by gpu-runner on " in done.stdout
    settings = load(here)
    publish(Artifact(artifact), open_stage(settings, "staging"), metadata=ReleaseMetadata(DEV))
    monkeypatch.chdir(here)
    assert main(["promote", "identity"]) == 1
    assert "no test result is recorded for this artifact" in capsys.readouterr().err
    assert main(["promote", "identity", "--tests", str(there / "identity.tests.json")]) == 0
    production = open_stage(settings, "production")
    record = Catalog(production).record("identity", "identity_1.0.0.tar.gz")
    result = evidence.load_test_result(production, "identity", record.sha256)
    assert result is not None and result.recorder is not None
    assert result.recorder.by == "gpu-runner"
    assert result.server is not None and "from tritonserver on PATH" in result.server
    assert "Triton 2.51.0 (release 24.10)" in result.server


def test_a_record_of_several_models_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = checkout(tmp_path)
    shutil.copytree(fixture_models.MODELS / "adder", root / "models" / "adder")
    monkeypatch.chdir(root)
    assert main(["test", "--record", "all.json"]) == 1
    assert "--record is for one model" in capsys.readouterr().err
