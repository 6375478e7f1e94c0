"""Model repositories for the backends that stand in for native ones, of the fixtures' files."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from slipway.errors import SlipwayError
from slipway.server import triton
from slipway.server.client import InferenceError
from slipway.server.server import Server
from slipway.settings import Settings
from slipway.triton.datatypes import Array

FIXTURES = Path(__file__).with_name("fixtures") / "standins"


def repository(
    folder: Path, backend: str, files: Mapping[str, str], config: str, name: str = "m"
) -> Path:
    """Write a model ``name``; ``files`` are fixtures' paths by the names that they have in it."""
    version = folder / name / "1"
    version.mkdir(parents=True)
    for file, fixture in files.items():
        shutil.copyfile(FIXTURES / fixture, version / file)
    text = f'name: "{name}"\nbackend: "{backend}"\n{config}\n'
    (folder / name / "config.pbtxt").write_text(text, encoding="utf-8")
    return folder


def tensor(side: str, name: str, data_type: str, dims: str) -> str:
    """Return an input or output of a config."""
    return f'{side} {{ name: "{name}" data_type: TYPE_{data_type} dims: [ {dims} ] }}\n'


def parameters(values: Mapping[str, str]) -> str:
    """Return the parameters of a config."""
    return "".join(
        f'parameters {{ key: "{key}" value {{ string_value: "{value}" }} }}\n'
        for key, value in values.items()
    )


def ask(server: Server, target: str, inputs: Mapping[str, Array]) -> dict[str, Array] | str:
    """Return the answer, or the error's message."""
    try:
        return server.invoke(target, inputs)
    except InferenceError as error:
        return error.what


def refusal(server: Server, target: str, folder: Path) -> str:
    """Load what is not to be loaded, and return why it is refused; "" if it is loaded."""
    try:
        server.load(target, folder)
    except SlipwayError as error:
        return error.what
    return ""


@contextmanager
def serving(root: Path, release: str) -> Iterator[Server]:
    """Run a server for production's ``release``."""
    with triton.start(Settings(root=root, triton_release=release)) as server:
        yield server
