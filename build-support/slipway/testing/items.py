"""The tests that every model gets: its golden cases, and the contract of its endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from slipway.errors import SlipwayError
from slipway.model.container_folder import is_container
from slipway.server.client import UnansweredError
from slipway.server.model_frames import innermost_place
from slipway.testing import contract, golden
from slipway.testing.container.items import container_items
from slipway.testing.example_request import BLANK, Request, choose_request
from slipway.testing.folder_item import FolderItem
from slipway.testing.model_server import ModelServer
from slipway.testing.served_artifact import ServedModel, death_of
from slipway.testing.two_rows import check_two_rows

MODEL_SERVER = pytest.StashKey[ModelServer]()
UPDATED = pytest.StashKey[dict[str, list[str]]]()


class ModelItem(FolderItem):
    """A generated test of the model in ``folder``, ``models/<name>``."""

    @property
    def model_server(self) -> ModelServer:
        """Return the session's server."""
        return self.config.stash[MODEL_SERVER]


class GoldenCase(ModelItem):
    """One folder ``tests/cases/<case>``."""

    def runtest(self) -> None:
        """Invoke the model, and compare its answer or rewrite the expected one."""
        got = golden.outcome(self.model_server.model(self.folder), self.path)
        place = innermost_place(got) if isinstance(got, str) else None
        if place is not None and golden.expected_error(self.path) is None:
            # an exception that the model's code did not expect is nobody's expected answer
            raise SlipwayError(
                f"the model fails on the case {self.path.name}: {got}",
                where=place,
                fix=f"fix the model's code; its input is {self.path / golden.INPUT}",
            )
        if self.config.getoption("update_golden"):
            changed = golden.update(self.path, got)
            if changed:
                self.config.stash[UPDATED][f"{self.folder.name}: {self.path.name}"] = changed
            return
        differences = golden.differences(self.path, got)
        if differences:
            raise SlipwayError(
                "\n  ".join(["the answer differs:", *differences]),
                where=str(self.path / golden.EXPECTED),
                fix="fix the model, or accept the answer with `slipway test --update-golden`",
            )


class ContractTest(ModelItem):
    """The artifact with two rows, and loaded together with a second copy of itself."""

    def runtest(self) -> None:
        """Send two rows; load, invoke, unload, invoke, load again."""
        model = self.model_server.model(self.folder)
        request = choose_request(model, self.folder)
        problems = check_two_rows(model, request.arrays)
        if problems:
            raise SlipwayError(
                "\n  ".join(["the config allows several rows, but:", *problems]),
                where=str(self.folder),
                fix="make the model answer several rows, or allow one: max_batch_size: 1 in every"
                " config.pbtxt, or dims that begin with 1",
            )
        problems = self._check_contract(model, request)
        if problems:
            raise SlipwayError(
                "\n  ".join(["not fit for a multi-model endpoint:", *problems]),
                where=str(self.folder),
                fix="keep no state in the model's process or on disk",
            )
        if request.is_blank:
            note = f"no golden case and no answered test: the contract test sent {BLANK}"
            self.model_server.notes[self.folder.name] += (f"{note}. {self._recording}",)

    def _check_contract(self, model: ServedModel, request: Request) -> list[str]:
        artifact = self.model_server.artifact(self.folder)
        try:
            return contract.check(model.server, model.target, artifact, request)
        except UnansweredError as error:
            raise model.located(error) from None
        except contract.FailedRequestError as error:
            raise self._no_answer(error.what, request) from None
        except SlipwayError as error:
            died = death_of(error)
            if died is None:
                raise
            model.replace_server(model.server, died)
            return contract.check(model.server, model.target, artifact, request)

    def _no_answer(self, message: str, request: Request) -> SlipwayError:
        """Return the error of a model of which no answer is known."""
        if not request.is_blank:
            return SlipwayError(
                f"the model does not answer {request.origin}: {message}",
                where=str(self.folder),
                fix="fix the model's code, or the request",
            )
        return SlipwayError(
            "no request was answered. There is no golden case that expects an answer, and the"
            f" model refuses {BLANK}: {message}",
            where=str(self.folder),
            fix=self._recording,
        )

    @property
    def _recording(self) -> str:
        """Return how a golden case is made."""
        file = self.folder / "tests" / "cases" / "NAME" / golden.INPUT
        if file.is_relative_to(self.config.rootpath):
            file = file.relative_to(self.config.rootpath)
        return (
            f"Write a request that the model answers to {file}, such as"
            f' {{"inputs": {{"X": [[1, 2]]}}}}; `slipway test {self.folder.name} --update-golden`'
            " records the answer"
        )


def own_items(session: pytest.Session, folder: Path) -> Iterator[pytest.Item]:
    """Yield the golden cases and the contract test of the model in ``folder``."""
    if is_container(folder):
        yield from container_items(session, folder)
        return
    base = folder.relative_to(session.path) if folder.is_relative_to(session.path) else folder
    for case in golden.cases(folder):
        yield _item(GoldenCase, session, folder, case, f"golden[{case.name}]", base)
    yield _item(ContractTest, session, folder, folder, "contract", base)


def _item(
    kind: type[ModelItem], session: pytest.Session, folder: Path, path: Path, name: str, base: Path
) -> ModelItem:
    item: ModelItem = kind.from_parent(
        session, name=name, path=path, nodeid=f"{base.as_posix()}::{name}"
    )
    item.folder = folder
    return item
