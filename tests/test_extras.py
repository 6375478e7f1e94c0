"""Extras: what is missing is named, with the command that installs it."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import pytest

import slipway
from slipway import extras
from slipway.cli import main
from slipway.errors import SlipwayError
from slipway.extras import MODULES, Extra

EXTRAS: dict[Extra, list[str]] = {
    "endpoint": ["endpoint"],
    "loadtest": ["endpoint", "loadtest"],
    "monitoring": ["loadtest", "monitoring"],
}
MODULE_OF = {"pillow": "PIL", "pyjwt": "jwt"}


class Hidden(MetaPathFinder):
    """Refuses to import some packages, as if they were not installed."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
        return None


def hide(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    for module in list(sys.modules):
        if module.partition(".")[0] in names:
            monkeypatch.delitem(sys.modules, module)
    monkeypatch.setattr(sys, "meta_path", [Hidden(*names), *sys.meta_path])


@pytest.mark.parametrize("extra", list(MODULES))
def test_an_installed_extra_is_accepted(extra: Extra) -> None:
    extras.require(extra)


@pytest.mark.parametrize(
    ("extra", "missing"),
    [("endpoint", ["uvloop"]), ("endpoint", ["aiohttp", "psutil"]), ("loadtest", ["matplotlib"])],
)
def test_a_missing_extra_is_named_with_the_command_that_installs_it(
    extra: Extra, missing: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    hide(monkeypatch, *missing)
    with pytest.raises(SlipwayError) as caught:
        extras.require(extra)
    assert caught.value.what == (
        f"this needs the extra {extra!r}; not installed: {', '.join(missing)}"
    )
    assert caught.value.fix == f"pip install 'slipway[{extra}]'"


@pytest.mark.parametrize("command", ["endpoint up", "loadtest m"])
def test_a_command_whose_extra_is_missing_says_so(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hide(monkeypatch, "uvloop")
    assert main(command.split()) == 1
    assert f"fix: pip install 'slipway[{command.split()[0]}]'" in capsys.readouterr().err


@pytest.mark.parametrize("extra", list(MODULES))
def test_the_modules_are_those_of_the_requirements(extra: Extra) -> None:
    files = EXTRAS[extra]
    folder = Path(slipway.__file__).parent
    text = "\n".join(
        (folder / f"requirements-{name}.txt").read_text(encoding="utf-8") for name in files
    )
    names = re.findall(r"^[a-z]+$", text, re.MULTILINE)
    assert set(MODULES[extra]) == {MODULE_OF.get(name, name) for name in names}
