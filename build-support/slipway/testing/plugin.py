"""Provide the fixture ``model``, golden cases, and every model's contract test to pytest.

A model is a folder ``models/<name>``. Its golden cases and contract test are collected whenever
files or folders of it are, also under Pants, which names only test files. ``-k`` selects among
them; a node id (``test_x.py::test_y``) selects that test alone.

A JUnit report (``--junitxml``) records the digest of the tested artifact, and whether the run left
tests out. A release's evidence is created from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from slipway.errors import SlipwayError
from slipway.model.container_folder import is_container
from slipway.testing import golden
from slipway.testing.brief import brief
from slipway.testing.container.items import CONTAINERS
from slipway.testing.container.served import Container, ContainerServer
from slipway.testing.disk_errors import DiskErrors
from slipway.testing.items import MODEL_SERVER, UPDATED, own_items
from slipway.testing.junit_report import Interruption, ReportProperties
from slipway.testing.model import Model
from slipway.testing.model_server import ModelServer
from slipway.testing.served_artifact import describe_end
from slipway.testing.time_limit import ModelTimeLimit

MODELS = "models"
PROPERTIES = pytest.StashKey[ReportProperties]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add Slipway's two options."""
    group = parser.getgroup("slipway")
    group.addoption(
        "--slipway-artifact", type=Path, metavar="FILE", help="the artifact to test the model with"
    )
    group.addoption(
        "--update-golden",
        action="store_true",
        help="accept the model's current answers as the expected ones of its golden cases",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Create the session's server, which starts with the first model."""
    # pytest-socket, which reads it next, would block the socket in front of the server
    if hasattr(config.option, "allow_unix_socket"):
        config.option.allow_unix_socket = True
    properties = config.stash[PROPERTIES] = ReportProperties()
    config.stash[MODEL_SERVER] = ModelServer(
        config.rootpath, config.getoption("slipway_artifact"), properties
    )
    config.stash[CONTAINERS] = ContainerServer(
        config.rootpath, config.getoption("slipway_artifact"), properties
    )
    config.stash[UPDATED] = {}
    config.pluginmanager.register(Interruption(config))
    config.pluginmanager.register(DiskErrors())
    config.pluginmanager.register(
        ModelTimeLimit(lambda item: model_folder(item.path, config.rootpath))
    )


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server."""
    config.stash[MODEL_SERVER].close()
    config.stash[CONTAINERS].close()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Add each model's golden cases and contract test after its own tests."""
    for folder in _collected_models(config):
        own = [index for index, item in enumerate(items) if folder in item.path.parents]
        if config.pluginmanager.hasplugin("socket"):
            for index in own:
                items[index].add_marker(pytest.mark.allow_hosts(["127.0.0.1"]))
        end = own[-1] + 1 if own else len(items)
        items[end:end] = own_items(session, folder)


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    """Count the tests that ``-k``, ``-m`` and similar options leave out."""
    for item in items:
        item.config.stash[PROPERTIES].add_deselected(item)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int | pytest.ExitCode) -> None:
    """Add what was tested to the JUnit report, before pytest writes it."""
    config = session.config
    named = [path for path in _named(config) if path.exists()]
    for folder in _collected_models(config):
        for pattern in config.getini("python_files"):
            for file in (folder / "tests").rglob(pattern):
                if not any(file == path or path in file.parents for path in named):
                    config.stash[PROPERTIES].add_unnamed(file.name)
    for name, ends in config.stash[MODEL_SERVER].ends.items():
        config.stash[PROPERTIES].add_restarts(name, ends)
    config.stash[PROPERTIES].write(config, exitstatus)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the server, what runs on the CPU instead, and which golden cases were rewritten."""
    config = terminalreporter.config
    for name, notes in config.stash[MODEL_SERVER].notes.items():
        terminalreporter.write_line(f"{name}: served by {notes[0]}")
        for note in notes[1:]:
            terminalreporter.write_line(f"{name}: {note}")
        for how in config.stash[MODEL_SERVER].ends[name]:
            terminalreporter.write_line(f"{name}: {describe_end(how)}")
    for case, changes in config.stash[UPDATED].items():
        terminalreporter.write_line(f"{case}: {golden.EXPECTED} rewritten")
        for change in changes:
            terminalreporter.write_line(f"  {change}")


@pytest.fixture
def model(request: pytest.FixtureRequest) -> Model:
    """Return the model of the test file's folder, served as its endpoint serves it."""
    folder = model_folder(request.node.path, request.config.rootpath)
    if folder is None:
        pytest.fail(f"{request.node.path} is not in a folder {MODELS}/<name>", pytrace=False)
    try:
        return request.config.stash[MODEL_SERVER].model(folder)
    except SlipwayError as error:
        # chained errors are internal; the user needs only the message
        pytest.fail(brief(error, request.config), pytrace=False)


@pytest.fixture
def container(request: pytest.FixtureRequest) -> Container:
    """Return the container of the test file's folder, served as SageMaker runs it."""
    folder = model_folder(request.node.path, request.config.rootpath)
    if folder is None:
        pytest.fail(f"{request.node.path} is not in a folder {MODELS}/<name>", pytrace=False)
    try:
        return request.config.stash[CONTAINERS].container(folder)
    except SlipwayError as error:
        pytest.fail(brief(error, request.config), pytrace=False)


def model_folder(path: Path, root: Path) -> Path | None:
    """Return the folder ``models/<name>`` below ``root`` that is or contains ``path``."""
    for folder in (path, *path.parents):
        # above the root a folder may be called anything
        if folder.parent.name == MODELS and folder.parent.is_relative_to(root):
            return folder
    return None


def _collected_models(config: pytest.Config) -> list[Path]:
    """Return the models named on the command line, by a file or folder in or above them."""
    folders: dict[Path, None] = {}
    for path in _named(config):
        inside = model_folder(path, config.rootpath)
        if inside:
            folders[inside] = None
        elif path.is_dir():
            below = path if path.name == MODELS else path / MODELS
            folders |= dict.fromkeys(sorted(_models_below(below)))
    return list(folders)


def _named(config: pytest.Config) -> list[Path]:
    """Return the files and folders named on the command line, without single tests."""
    folder = config.invocation_params.dir
    return [(folder / argument).resolve() for argument in config.args if "::" not in argument]


def _models_below(models: Path) -> Iterator[Path]:
    for folder in models.iterdir() if models.is_dir() else ():
        if next(folder.glob("*/config.pbtxt"), None) or is_container(folder):
            yield folder
