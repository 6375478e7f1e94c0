"""SW526: imports of what ``pruned.txt`` leaves out of the environment."""

from __future__ import annotations

from collections.abc import Iterator

from slipway.check.finding import RuleHit
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.python.imports import Import, is_local, names_in, required_imports
from slipway.check.python.model import python_models
from slipway.check.python.shared_code import shared_imports
from slipway.check.rule import rule
from slipway.environment.pruning.listing import FILE_NAME, read_pruned
from slipway.environment.pruning.modules import left_out_modules, left_out_part
from slipway.errors import SlipwayError


@rule(
    "SW526",
    "pruned-module",
    scope="slipway",
    reason="the load fails, or the request that runs the import: ModuleNotFoundError",
    source="Slipway, environment/pruning: the list is of what no test imported when it was written",
)
def pruned_module(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find imports of modules that the model's ``pruned.txt`` leaves out."""
    file = model.folder / FILE_NAME
    if not model.modules or model.is_single_config or not file.is_file():
        return
    try:
        lines = left_out_modules(read_pruned(file))
    except SlipwayError:
        return  # the build names the line
    for statement in _imports(model):
        # a statement may import several modules of one package
        for name, _ in names_in(statement.node):
            module, line = left_out_part(name, lines) or ("", "")
            if module and module.partition(".")[0] == statement.top:
                yield RuleHit(
                    statement.code.location(statement.node),
                    f"{FILE_NAME} leaves {module!r} out of the environment",
                    f"slipway environment prune {model.folder}, which keeps what the code imports;"
                    f" or delete the line {line} from {file}",
                )


def _imports(model: ModelUnderCheck) -> Iterator[Import]:
    """Yield the imports from the environment, one for each statement and top-level module."""
    for python_model in python_models(model):
        for statement in required_imports(python_model.sources):
            if not statement.level and not is_local(statement, python_model.config.directory):
                yield statement
    for _, statement in shared_imports(model):
        yield statement
