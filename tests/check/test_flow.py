"""Properties of ensembles: a valid one has no finding, and each single mistake has one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slipway.check import RULES, Finding
from slipway.check.model_repository import ModelRepository
from slipway.check.model_under_check import ModelUnderCheck
from slipway.settings import Settings
from slipway.triton import config
from tests.check import fixture_repositories as repositories

TYPES = ("TYPE_FP32", "TYPE_INT64", "TYPE_STRING")
type Configs = dict[str, Any]


@st.composite
def ensembles(draw: st.DrawFn) -> Configs:
    """Return the configs of a valid ensemble of one to five steps, by their names.

    Each step reads earlier tensors and writes one or two. The ensemble returns the tensors that no
    step reads.
    """
    number = draw(st.integers(1, 5))
    kinds = st.tuples(st.sampled_from(TYPES), st.lists(st.integers(1, 5), min_size=1, max_size=3))
    schema = config.schema()
    ensemble = schema.ModelConfig(name="whole", platform="ensemble", max_batch_size=4)
    configs: Configs = {"whole": ensemble}
    tensors: dict[str, tuple[str, list[int]]] = {}
    for at in range(draw(st.integers(1, 2))):
        tensors[f"IN{at}"] = kind = draw(kinds)
        _declare(ensemble.input, f"IN{at}", kind)
    read: set[str] = set()
    for at in range(number):
        step = ensemble.ensemble_scheduling.step.add(model_name=f"model{at}", model_version=-1)
        model = schema.ModelConfig(name=f"model{at}", backend="onnxruntime", max_batch_size=8)
        # the first step reads all inputs, so that all are used
        names = sorted(tensors)
        chosen = draw(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True))
        for place, name in enumerate(names if at == 0 else chosen):
            _declare(model.input, f"X{place}", tensors[name])
            step.input_map[f"X{place}"] = name
            read.add(name)
        for place in range(draw(st.integers(1, 2))):
            name = f"t{at}_{place}"
            tensors[name] = kind = draw(kinds)
            _declare(model.output, f"Y{place}", kind)
            step.output_map[f"Y{place}"] = name
        configs[model.name] = model
    for name in sorted(set(tensors) - read):
        _declare(ensemble.output, name, tensors[name])
    return configs


def _declare(tensors: Any, name: str, kind: tuple[str, list[int]]) -> None:
    tensors.add(name=name, data_type=config.schema().DataType.Value(kind[0]), dims=kind[1])


def find_in(configs: Configs) -> list[Finding]:
    """Return the findings of the rules for ensembles."""
    with TemporaryDirectory() as root:
        for name, message in configs.items():
            folder = Path(root, "models", "model", name, "1")
            folder.mkdir(parents=True)
            text = config.render(message)
            folder.with_name(config.FILE_NAME).write_text(text, encoding="utf-8")
        subject = ModelUnderCheck(
            Path(root, "models", "model"), ModelRepository(Settings(root=Path(root)))
        )
        return [
            finding
            for rule in RULES.values()
            if rule.id.startswith("SW4")
            for finding in rule.findings(subject)
        ]


def rename_what_is_read(step: Any, model: Any, key: str) -> None:
    """Read a tensor that no step writes."""
    step.input_map[key] = "nobody_writes_this"


def rename_the_input(step: Any, model: Any, key: str) -> None:
    """Map an input that the model does not have."""
    step.input_map["NO_SUCH_INPUT"] = step.input_map[key]
    del step.input_map[key]


def cut(step: Any, model: Any, key: str) -> None:
    """Do not feed an input."""
    del step.input_map[key]


def retype(step: Any, model: Any, key: str) -> None:
    """Expect another data type."""
    tensor = next(each for each in model.input if each.name == key)
    tensor.data_type = config.schema().DataType.Value("TYPE_BOOL")


def reshape(step: Any, model: Any, key: str) -> None:
    """Expect another size."""
    tensor = next(each for each in model.input if each.name == key)
    tensor.dims[-1] += 1


def write_what_is_read(step: Any, model: Any, key: str) -> None:
    """Write a tensor that has a value already, and that the step waits for."""
    output = min(step.output_map)
    step.output_map[output] = step.input_map[key]


def lower_the_batch(step: Any, model: Any, key: str) -> None:
    """Accept smaller batches than the ensemble."""
    model.max_batch_size = 3


def name_no_model(step: Any, model: Any, key: str) -> None:
    """Name a model that does not exist."""
    step.model_name = "no_such_model"


def ask_for_another_version(step: Any, model: Any, key: str) -> None:
    """Request a version that is not on disk."""
    step.model_version = 7


BREAKS = [
    (rename_what_is_read, {"SW412"}),
    (rename_the_input, {"SW404"}),
    (cut, {"SW406", "SW417"}),
    (retype, {"SW421"}),
    (reshape, {"SW422"}),
    (write_what_is_read, {"SW411"}),
    (lower_the_batch, {"SW423"}),
    (name_no_model, {"SW403"}),
    (ask_for_another_version, {"SW408"}),
]


@settings(max_examples=60, deadline=None)
@given(configs=ensembles())
def test_a_valid_ensemble_has_no_finding(configs: Configs) -> None:
    assert find_in(configs) == []


@pytest.mark.parametrize(("break_it", "rules"), BREAKS)
@settings(max_examples=25, deadline=None)
@given(configs=ensembles(), data=st.data())
def test_one_broken_edge_is_found(
    break_it: Callable[[Any, Any, str], None],
    rules: set[str],
    configs: Configs,
    data: st.DataObject,
) -> None:
    step = data.draw(st.sampled_from(list(configs["whole"].ensemble_scheduling.step)))
    key = data.draw(st.sampled_from(sorted(step.input_map)))
    break_it(step, configs[step.model_name], key)
    assert {finding.rule for finding in find_in(configs)} & rules


@settings(max_examples=25, deadline=None)
@given(configs=ensembles(), data=st.data())
def test_any_size_fits_any_size(configs: Configs, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([name for name in configs if name != "whole"]))
    for tensor in [*configs[name].input, *configs[name].output]:
        tensor.dims[0] = -1
    assert find_in(configs) == []


@settings(max_examples=25, deadline=None)
@given(configs=ensembles(), data=st.data())
def test_a_model_without_batches_may_declare_the_batch_as_a_dimension(
    configs: Configs, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from([name for name in configs if name != "whole"]))
    configs[name].max_batch_size = 0
    for tensor in [*configs[name].input, *configs[name].output]:
        tensor.dims.insert(0, -1)
    assert find_in(configs) == []


def test_the_cycle_is_reported_step_by_step(tmp_path: Path) -> None:
    repositories.make("SW413_two_steps_in_a_ring", tmp_path)
    (finding,) = repositories.find_all(tmp_path)
    assert finding.what.endswith(
        "step 1 (sound_preprocessing) –features→ step 2 (sound_inferencer) –score→"
        " step 1 (sound_preprocessing)"
    )


def test_a_model_of_another_folder_is_reported(tmp_path: Path) -> None:
    repositories.make("SW403_model_of_another_folder", tmp_path)
    (finding,) = repositories.find_all(tmp_path)
    assert "only in 'other'" in finding.what
