"""Leave the modules of the wheel slipway-client to it; all else is in pyproject.toml."""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

CLIENT = Path(__file__).parent / "build-support" / "slipway-client" / "modules.txt"
MODULES = set(CLIENT.read_text(encoding="utf-8").split())


class BuildLibrary(build_py):
    """Pack what slipway-client, on which this distribution depends, does not."""

    def find_package_modules(self, package, package_dir):
        """Return the package's modules that are not in the client's modules.txt."""
        modules = super().find_package_modules(package, package_dir)
        return [entry for entry in modules if _name(*entry[:2]) not in MODULES]


def _name(package, module):
    return package if module == "__init__" else f"{package}.{module}"


setup(cmdclass={"build_py": BuildLibrary})
