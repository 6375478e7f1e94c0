"""Check model folders, foreign models and single configs by all rules that concern them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from slipway.check import rules as rules  # which registers them
from slipway.check.finding import Finding
from slipway.check.foreign.model import ForeignModel
from slipway.check.ignore import apply_ignores
from slipway.check.model_repository import ModelRepository
from slipway.check.model_under_check import ModelUnderCheck, SingleConfig
from slipway.check.rule import RULES, Rule
from slipway.model.folder import ModelFolder
from slipway.settings import Settings
from slipway.unchanged import files_unchanged

# the rules about files that look like a part of the model and are not packed
LEFT_OUT_RULES = ("SW102", "SW127", "SW326")
# the rules that need only one config
CONFIG_RULES = ("SW2", "SW107", "SW109")


def check(folders: Iterable[Path], settings: Settings) -> list[Finding]:
    """Return every finding in the model folders, in the order of their locations."""
    repository = ModelRepository(settings)
    with files_unchanged():
        return [finding for folder in folders for finding in check_folder(folder, repository)]


def check_folder(
    folder: Path, repository: ModelRepository, parsed: ModelFolder | None = None
) -> list[Finding]:
    """Return every finding in one model folder.

    ``parsed`` is the folder where it was read already; the rules do not read that again.
    """
    return check_model(ModelUnderCheck(folder, repository, parsed))


def check_model(model: ModelUnderCheck) -> list[Finding]:
    """Return every finding in a model folder, which the caller can ask for more."""
    return _findings(model, RULES.values())


def check_config(path: Path, settings: Settings) -> list[Finding]:
    """Return every finding in one ``config.pbtxt``, without the files next to it.

    It is judged as by a server that completes configs from their weights: a field that it leaves
    out is not a mistake.
    """
    chosen = [rule for id, rule in RULES.items() if id.startswith(CONFIG_RULES)]
    return _findings(SingleConfig(path, ModelRepository(settings)), chosen)


def check_foreign(model: ForeignModel) -> tuple[list[Finding], int]:
    """Return the findings in a foreign model, and how many things ``slipway adopt`` would do."""
    house = [rule for rule in RULES.values() if rule.scope == "slipway"]
    with files_unchanged():
        left = {finding.key for rule in house for finding in rule.findings(model)}
        return _findings(model, RULES.values()), len(left)


def check_left_out(folder: Path, settings: Settings) -> list[Finding]:
    """Return the findings about files of a model folder that its artifact leaves out."""
    chosen = [RULES[id] for id in LEFT_OUT_RULES]
    findings = _findings(ModelUnderCheck(folder, ModelRepository(settings)), chosen)
    # an ignore of a rule that did not run is reported as unused
    return [finding for finding in findings if finding.rule in LEFT_OUT_RULES]


def _findings(model: ModelUnderCheck, chosen: Iterable[Rule]) -> list[Finding]:
    # one finding per location, rule and message
    with files_unchanged():
        unique = {
            finding.key: finding
            for rule in chosen
            if rule.concerns(model)
            for finding in rule.findings(model)
        }
        return sorted(apply_ignores(model, list(unique.values())), key=lambda finding: finding.key)
