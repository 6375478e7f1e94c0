"""Judge from its files whether a package can be imported from a zip and works there."""

from __future__ import annotations

import ast
import configparser
import re
import sys
import warnings
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from slipway.environment.packages import InstalledPackage

CODE = (".py", ".pyc")
# files that no program opens: notes on licences and types
NOTES = re.compile(
    r"(.*/)?(py\.typed|(LICEN[CS]E|COPYING|NOTICE|AUTHORS|README)[^/]*)", re.IGNORECASE
)
SCRIPTS = {"console_scripts", "gui_scripts"}
# by these a module finds files on the disk
PLACES = {"__file__", "submodule_search_locations"}
MENTIONS = re.compile(rb"__file__|submodule_search_locations|spec\w*\.origin\b")


class Site:
    """The packages of an environment and their files, by the names in ``site-packages``."""

    def __init__(
        self, installed: Iterable[InstalledPackage], files: Mapping[str, Path], site: str
    ) -> None:
        self.packages = tuple(installed)
        self._files = files
        self._site = site
        self._tops = Counter(
            top
            for package in self.packages
            for top in {n.split("/")[0] for n in self.files(package)}
        )

    def files(self, package: InstalledPackage) -> dict[str, Path]:
        """Return the packed files of a package that lie in ``site-packages``."""
        names = (
            name.removeprefix(self._site)
            for name in sorted(package.files)
            if name.startswith(self._site)
        )
        return {name: self._files[name] for name in names if name in self._files}

    def modules(self, package: InstalledPackage) -> tuple[str, ...]:
        """Return the package's importable names."""
        tops = {name.split("/")[0] for name in self.files(package) if name.endswith(".py")}
        return tuple(sorted(top.removesuffix(".py") for top in tops))

    def obstacle(self, package: InstalledPackage) -> str | None:
        """Return why a package has to stay unpacked; ``None`` if nothing speaks against a zip."""
        files = self.files(package)
        for name in files:
            if name.endswith(".pth"):
                return f"has {name}"
            if not (".dist-info/" in name or name.endswith(CODE) or NOTES.fullmatch(name)):
                return f"has data or compiled code: {name}"
        for name, path in files.items():
            if name.endswith(".dist-info/entry_points.txt") and _is_plugin(path):
                return "is found by entry points"
        modules = self.modules(package)
        if not modules:
            return "has no modules"
        for module in modules:
            top = module if module in self._tops else f"{module}.py"
            if self._tops[top] > 1 or top == module and f"{module}/__init__.py" not in files:
                return f"{module} is a namespace package"
            if module in sys.stdlib_module_names:
                return f"{module} is a module of Python, too"
        for name, path in files.items():
            if name.endswith(".py") and (place := _place(path)):
                return f"{name} uses {place}"
        return None


def _is_plugin(entry_points: Path) -> bool:
    parser = configparser.ConfigParser(delimiters=("=",), strict=False, interpolation=None)
    try:
        parser.read_string(entry_points.read_text(encoding="utf-8"))
    except configparser.Error:
        return True
    return not set(parser.sections()) <= SCRIPTS


def _place(source: Path) -> str | None:
    """Return the attribute by which a module looks for files, if it does."""
    content = source.read_bytes()
    if not MENTIONS.search(content):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of strings with unknown escapes
            tree = ast.parse(content)
    except (SyntaxError, ValueError):
        return None
    for node in ast.walk(tree):
        name = getattr(node, "id", None) or getattr(node, "attr", None)
        if name in PLACES or name == "origin" and "spec" in ast.unparse(node):
            return str(name)
    return None
