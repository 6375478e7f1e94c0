"""Load a scikit-learn file: only what is known to be harmless, and only in isolation."""

from __future__ import annotations

import logging
import pickle
import shutil
import sys
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from slipway.errors import SlipwayError
from slipway.formats.contents import Contents
from slipway.formats.format import Options
from slipway.formats.sklearn.reading.allowed import trusted_names, unknown_names
from slipway.formats.sklearn.reading.inert import names_in_pickle
from slipway.formats.sklearn.reading.streams import pieces

TRUST = "if you know them, name them: --set trusted={}"


def load(source: Path, options: Options) -> Any:
    """Return the estimator in ``source``.

    Raises:
        SlipwayError: it names what no fitted estimator needs, or a class that is not there; it is
            not an estimator.
    """
    if options.code is not None:
        _provide(options.code)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # another patch version is noted by the caller
        model = _load_any(source, options.settings)
    if isinstance(model, Mapping) or not hasattr(model, "get_params"):
        raise SlipwayError(
            f"it holds a {type(model).__name__}, not an estimator of scikit-learn",
            where=str(source),
            fix="save the fitted estimator or pipeline itself",
        )
    return model


def _load_any(source: Path, settings: Mapping[str, str]) -> Any:
    trusted = trusted_names(settings)
    try:
        if Contents(source).names:
            return _load_skops(source, trusted)
        return _load_pickle(source, trusted)
    except (AttributeError, ImportError, ModuleNotFoundError) as error:
        raise SlipwayError(
            f"what it is made of is not here: {error}",
            where=str(source),
            fix="name the Python file that defines it (--code FILE), or the package"
            " (--with NAME==VERSION)",
        ) from error


def _load_skops(source: Path, trusted: frozenset[str]) -> Any:
    import skops.io

    unknown = set(skops.io.get_untrusted_types(file=source))
    if refused := unknown_names(unknown, trusted):
        raise SlipwayError(
            "it holds types that skops does not trust: " + ", ".join(refused),
            where=str(source),
            fix=TRUST.format(",".join(refused)),
        )
    return skops.io.load(source, trusted=sorted(unknown))


def _load_pickle(source: Path, trusted: frozenset[str]) -> Any:
    import joblib

    with tempfile.TemporaryDirectory() as folder:
        unpacked = Path(folder) / "model.pkl"
        with unpacked.open("wb") as file:
            for piece in pieces(source):
                file.write(piece)
        _refuse_code(source, unpacked, trusted)
        return joblib.load(unpacked)


def _refuse_code(source: Path, unpacked: Path, trusted: frozenset[str]) -> None:
    """Raise if the pickle names what no fitted estimator needs. Nothing is called."""
    found = _dangerous(unpacked)
    if found - trusted:
        raise SlipwayError(
            "a pickle that runs code when it is loaded: " + ", ".join(sorted(found - trusted)),
            where=str(source),
            fix="do not load it; ask for the model as a skops file (skops.io.dump)",
        )
    try:
        names = names_in_pickle(unpacked)
    except pickle.UnpicklingError as error:
        raise SlipwayError(
            f"a pickle that cannot be followed to its end: {error}",
            where=str(source),
            fix="save the model again, best with skops.io.dump",
        ) from error
    if refused := unknown_names(names, trusted):
        raise SlipwayError(
            "a pickle that uses what no fitted estimator needs: " + ", ".join(refused),
            where=str(source),
            fix=TRUST.format(",".join(refused)),
        )


def _dangerous(unpacked: Path) -> set[str]:
    """Return what modelscan finds."""
    from modelscan.modelscan import ModelScan

    # it also logs files that it cannot follow, such as joblib's; names_in_pickle follows those
    logging.getLogger("modelscan").setLevel(logging.CRITICAL)
    issues = ModelScan().scan(unpacked)["issues"]
    return {f"{issue.get('module')}.{issue.get('operator')}" for issue in issues}


def _provide(code: Path) -> None:
    """Make the classes and functions of the user's file importable, as a module and as a script.

    What was pickled in a notebook or script is named ``__main__.Name``.
    """
    import importlib.util

    spec = importlib.util.spec_from_file_location(code.stem, code)
    if spec is None or spec.loader is None:
        raise SlipwayError("not a Python file", where=str(code), fix="give a file that ends in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[code.stem] = module
    spec.loader.exec_module(module)
    script = sys.modules["__main__"]
    for name, value in vars(module).items():
        if not name.startswith("__") and not hasattr(script, name):
            setattr(script, name, value)


def copy_code(code: Path, out: Path) -> None:
    """Copy the user's file to where the model's own code will find it."""
    shutil.copyfile(code, out / code.name)
