"""Packages that others published give the same answers from a zip as from files."""

from __future__ import annotations

import json
import subprocess
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from slipway.environment import ExecutionEnvironment, build_environment, lock_requirements
from slipway.settings import Settings
from tests.environment.wheelhouse import Wheelhouse

ZIPPED = ("click", "idna", "jmespath", "packaging")
USES = """
import importlib.metadata, json
import click, click.testing, idna, jmespath, packaging.version
@click.command()
@click.option("--n", default=1)
def command(n):
    click.echo(n + 1)
print(json.dumps([
    click.testing.CliRunner().invoke(command, ["--n", "4"]).output,
    idna.encode("königsgäßchen").decode(),
    jmespath.search("a[0].b", {"a": [{"b": 1}]}),
    str(max(map(packaging.version.Version, ("1.9", "1.10")))),
    sorted(d.metadata["Name"].lower() for d in importlib.metadata.distributions()),
]))
"""


def answers(environment: ExecutionEnvironment, folder: Path) -> object:
    with tarfile.open(environment.archive) as archive:
        archive.extractall(folder, filter="data")
    command = 'source bin/activate && exec python3 -c "$0"'
    done = subprocess.run(
        ["bash", "-c", command, USES], cwd=folder, env={"PATH": "/bin"}, capture_output=True
    )
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def test_published_packages_answer_from_the_zip_as_from_files(
    requirements: Callable[..., Path], wheelhouse: Wheelhouse, settings: Settings, tmp_path: Path
) -> None:
    wheelhouse.numpy()
    for name in ZIPPED:
        wheelhouse.installed(name)
    lock = lock_requirements(requirements("numpy", *ZIPPED), settings)
    as_zip = build_environment(lock, replace(settings, zip_packages=True))
    as_files = build_environment(lock, settings)
    assert {*ZIPPED, "numpy"} == set(as_zip.zipped)
    assert as_zip.files < as_files.files - 80
    assert answers(as_zip, tmp_path / "zip") == answers(as_files, tmp_path / "files")
