"""The tests that every container gets: its golden cases, and SageMaker's contract."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from slipway import settings
from slipway.errors import SlipwayError
from slipway.server.container import call
from slipway.server.container.process import start_container
from slipway.testing.container import cases
from slipway.testing.container.served import STARTUP_S, ContainerServer
from slipway.testing.folder_item import FolderItem

CONTAINERS = pytest.StashKey[ContainerServer]()


class ContainerItem(FolderItem):
    """A generated test of the container in ``folder``, ``models/<name>``."""

    @property
    def server(self) -> ContainerServer:
        """Return the session's containers."""
        return self.config.stash[CONTAINERS]


class ContainerGoldenCase(ContainerItem):
    """One folder ``tests/cases/<case>``."""

    def runtest(self) -> None:
        """Send the request, and compare its answer or rewrite the expected one."""
        case = cases.load_case(self.path)
        container = self.server.container(self.folder)
        answer = container.invoke(case.body, case.content_type, case.accept)
        if self.config.getoption("update_golden"):
            cases.update(case, answer)
            return
        differences = cases.differences(case, answer)
        if differences:
            raise SlipwayError(
                "\n  ".join(["the answer differs:", *differences]),
                where=str(case.expected or self.path),
                fix="fix the model, or accept the answer with `slipway test --update-golden`",
            )


class ContainerContract(ContainerItem):
    """What SageMaker expects of a container beyond an answer to one request."""

    def runtest(self) -> None:
        """Ping; start a second copy, on another port; compare its answers to the golden cases."""
        first = self.server.container(self.folder)
        problems = [] if call.ping(first.process) else ["GET /ping is not 200 any more"]
        configured = settings.load(self.folder)
        declared = configured.containers.get(self.folder.name)
        variables = declared.environment if declared else None
        with start_container(first.artifact, configured, environment=variables) as second:
            call.await_ready(second, STARTUP_S)
            for folder in cases.find_cases(self.folder):
                case = cases.load_case(folder)
                answer = call.invoke(second, case.body, case.content_type, accept=case.accept)
                lines = cases.differences(case, answer) if case.expected else []
                problems += [f"a second copy, {folder.name}: {line}" for line in lines]
        if problems:
            raise SlipwayError(
                "\n  ".join(["not fit for SageMaker:", *problems]),
                where=str(self.folder),
                fix="listen on SAGEMAKER_BIND_TO_PORT, and keep no state",
            )


def container_items(session: pytest.Session, folder: Path) -> Iterator[pytest.Item]:
    """Yield the golden cases and the contract test of the container in ``folder``."""
    base = folder.relative_to(session.path) if folder.is_relative_to(session.path) else folder
    kinds: list[tuple[type[ContainerItem], Path, str]] = [
        (ContainerGoldenCase, case, f"golden[{case.name}]") for case in cases.find_cases(folder)
    ]
    kinds.append((ContainerContract, folder, "contract"))
    for kind, path, name in kinds:
        nodeid = f"{base.as_posix()}::{name}"
        item: ContainerItem = kind.from_parent(session, name=name, path=path, nodeid=nodeid)
        item.folder = folder
        yield item
