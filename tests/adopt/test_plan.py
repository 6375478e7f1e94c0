"""The plan: which models there are, which folders they become, and what they are called."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.adopt.plan import plan_adoption
from slipway.errors import SlipwayError
from slipway.settings import Settings
from tests.adopt.conftest import ADD, PYTHON, TENSORS, python_model, write

CALLS = """\
import triton_python_backend_utils as pb_utils

DETECTOR = "detector"


class TritonPythonModel:
    def execute(self, requests):
        return [self.call(DETECTOR, request) for request in requests]

    def call(self, model, request):
        x = pb_utils.get_input_tensor_by_name(request, "X")
        return pb_utils.InferenceRequest(
            model_name=model, requested_output_names=["Y"], inputs=[x]
        ).exec()
"""


def ensemble(name: str, *steps: str) -> str:
    """A config of an ensemble whose steps follow each other."""
    tensors = ["X", *(f"between_{number}" for number in range(1, len(steps))), "Y"]
    text = "".join(
        f'  step {{ model_name: "{step}" model_version: -1\n'
        f'    input_map {{ key: "X" value: "{tensors[number]}" }}\n'
        f'    output_map {{ key: "Y" value: "{tensors[number + 1]}" }} }}\n'
        for number, step in enumerate(steps)
    )
    head = f'name: "{name}"\nplatform: "ensemble"\nmax_batch_size: 8\n{TENSORS}'
    return f"{head}ensemble_scheduling {{\n{text}}}\n"


def names(path: Path, settings: Settings, name: str | None = None) -> dict[str, list[str]]:
    """The names of the models by folder, as planned."""
    plan = plan_adoption(path, name, settings)
    return {folder.name: [model.name for model in folder.models] for folder in plan.folders}


def test_independent_models_get_a_folder_each(source: Path, settings: Settings) -> None:
    python_model(source, "first")
    python_model(source, "second")
    assert names(source, settings) == {"first": ["first"], "second": ["second"]}


def test_an_ensemble_and_its_steps_are_one_folder_whose_name_begins_theirs(
    source: Path, settings: Settings
) -> None:
    python_model(source, "clean")
    python_model(source, "score")
    write(source, {"reviews/config.pbtxt": ensemble("reviews", "clean", "score")})
    assert names(source, settings) == {"reviews": ["reviews", "reviews_clean", "reviews_score"]}


def test_a_step_of_two_ensembles_is_in_both_folders(source: Path, settings: Settings) -> None:
    python_model(source, "clean")
    write(source, {"a/config.pbtxt": ensemble("a", "clean")})
    write(source, {"b/config.pbtxt": ensemble("b", "clean")})
    assert names(source, settings) == {"a": ["a", "a_clean"], "b": ["b", "b_clean"]}


def test_a_model_that_code_calls_is_in_the_folder_of_the_caller_with_an_ensemble_around_them(
    source: Path, settings: Settings
) -> None:
    python_model(source, "detector")
    python_model(source, "faces", CALLS)
    plan = plan_adoption(source, None, settings)
    assert [folder.name for folder in plan.folders] == ["faces"]
    assert plan.folders[0].wrapper == "faces_pipeline"


@pytest.mark.parametrize("above", ["model_repository", "deploy/triton/models", "."])
def test_a_repository_is_found_at_the_path_and_levels_below_it(
    above: str, source: Path, settings: Settings
) -> None:
    python_model(source / above, "score")
    assert names(source, settings) == {"score": ["score"]}


def test_a_model_directory_itself_is_adopted(source: Path, settings: Settings) -> None:
    assert names(python_model(source, "score"), settings) == {"score": ["score"]}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("reading/model_repository/ensemble", "reading"),
        ("reading/models/ensemble_model", "reading"),
        ("reading/reader", "reader"),
    ],
)
def test_a_name_that_says_nothing_is_replaced_by_the_repositorys(
    path: str, expected: str, source: Path, settings: Settings
) -> None:
    directory = source / path
    python_model(directory.parent, directory.name)
    assert list(names(source / "reading", settings)) == [expected]


def test_a_given_name_is_that_of_the_folder_and_of_several_their_beginning(
    source: Path, settings: Settings
) -> None:
    python_model(source, "one")
    assert names(source, settings, "ours") == {"ours": ["ours_one"]}
    python_model(source, "two")
    assert list(names(source, settings, "ours")) == ["ours_one", "ours_two"]


def test_names_with_capitals_and_dashes_become_names_of_folders(
    source: Path, settings: Settings
) -> None:
    python_model(source, "My-Model v2")
    assert names(source, settings) == {"my_model_v2": ["my_model_v2"]}


def test_a_taken_name_is_refused_and_the_fix_works(source: Path, settings: Settings) -> None:
    python_model(source, "score")
    (settings.root / "models" / "score").mkdir(parents=True)
    with pytest.raises(SlipwayError, match="the model exists already") as raised:
        plan_adoption(source, None, settings)
    assert f"slipway adopt {source} --name" in str(raised.value.fix)
    assert names(source, settings, "other") == {"other": ["other_score"]}


def test_two_repositories_with_one_name_are_refused_and_the_fix_works(
    source: Path, settings: Settings
) -> None:
    python_model(source / "cpu", "score")
    python_model(source / "gpu", "score")
    with pytest.raises(SlipwayError, match="two repositories") as raised:
        plan_adoption(source, None, settings)
    assert str(raised.value.fix).endswith(f"slipway adopt {source / 'gpu'}")
    assert names(source / "gpu", settings) == {"score": ["score"]}


@pytest.mark.parametrize(
    ("files", "problem", "fix"),
    [
        ({"README.md": "# none"}, "no Triton model in it", "slipway new NAME --from"),
        ({"config.txt": "key = value"}, "no Triton model in it", "--model-repository"),
        ({"models.dvc": "outs: []"}, "no Triton model in it", "dvc pull there first"),
    ],
)
def test_a_folder_without_models_is_refused(
    files: dict[str, str], problem: str, fix: str, source: Path, settings: Settings
) -> None:
    with pytest.raises(SlipwayError, match=problem) as raised:
        plan_adoption(write(source, files), None, settings)
    assert fix in str(raised.value.fix)


def test_an_archive_is_refused_and_the_fix_unpacks_it(source: Path, settings: Settings) -> None:
    archive = source / "model.tar.gz"
    archive.write_bytes(b"")
    with pytest.raises(SlipwayError, match="not a folder") as raised:
        plan_adoption(archive, None, settings)
    assert f"tar -xf {archive}" in str(raised.value.fix)


def test_what_is_in_models_already_is_refused(settings: Settings) -> None:
    folder = python_model(settings.root / "models" / "x", "x")
    for path in (folder.parent, settings.root, settings.root / "models"):
        with pytest.raises(SlipwayError, match="in models/ already, or around it"):
            plan_adoption(path, None, settings)


def test_a_stray_config_above_a_repository_is_no_model(source: Path, settings: Settings) -> None:
    python_model(source / "repository", "score")
    write(source, {"config.pbtxt": PYTHON})
    assert names(source, settings) == {"score": ["score"]}


def test_models_that_call_each_other_are_one_folder(source: Path, settings: Settings) -> None:
    python_model(source, "detector", CALLS.replace('"detector"', '"faces"'))
    python_model(source, "faces", CALLS)
    assert list(names(source, settings)) == ["detector"]


def test_a_repository_larger_than_the_disk_is_refused_before_anything_is_written(
    source: Path, settings: Settings
) -> None:
    directory = python_model(source, "score", ADD)
    with (directory / "1" / "weights.bin").open("wb") as file:
        file.truncate(1 << 43)  # a sparse file
    with pytest.raises(SlipwayError, match="and the disk has"):
        plan_adoption(source, None, settings)
    assert not (settings.root / "models").exists()
