"""Pack the modules in modules.txt and no others; all else is in pyproject.toml."""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

MODULES = set((Path(__file__).parent / "modules.txt").read_text(encoding="utf-8").split())


class BuildClient(build_py):
    """Leave out the modules that the distribution ``slipway`` packs."""

    def find_package_modules(self, package, package_dir):
        """Return the package's modules that are in modules.txt."""
        modules = super().find_package_modules(package, package_dir)
        return [entry for entry in modules if _name(*entry[:2]) in MODULES]


def _name(package, module):
    return package if module == "__init__" else f"{package}.{module}"


setup(cmdclass={"build_py": BuildClient})
