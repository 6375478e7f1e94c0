"""Packages of the repository in ``requirements.txt``: ways to write one, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from slipway.environment.shared.requirements import find_shared
from slipway.errors import SlipwayError

Write = Callable[..., Path]


@pytest.mark.parametrize(
    "line",
    [
        "../../libs/words",
        "../../libs/words/",
        "-e ../../libs/words",
        "--editable ../../libs/words",
        "words @ file:../../libs/words",
        "Words @ file:../../libs/words ; python_version > '3'",
        "file:../../libs/words",
    ],
)
def test_a_package_may_be_named_in_every_way_of_pip(
    library: Write, requirements: Write, line: str
) -> None:
    folder = library()
    (shared,) = find_shared(requirements("numpy<2", line))
    assert (shared.package.name, shared.package.folder) == ("words", folder)


def test_all_ways_without_a_marker_are_the_same_requirement(
    library: Write, requirements: Write
) -> None:
    library()
    spellings = set()
    for line in ("../../libs/words", "-e ../../libs/words", "words @ file:../../libs/words"):
        path = requirements("numpy<2", line)
        spellings |= {shared.normalised(path) for shared in find_shared(path)}
    assert spellings == {"words @ file:../../libs/words requires (python>=3.12, numpy)"}


def test_an_absolute_path_is_refused_with_the_relative_one(
    library: Write, requirements: Write
) -> None:
    with pytest.raises(SlipwayError, match="root of this machine") as caught:
        find_shared(requirements("numpy<2", f"words @ file://{library()}"))
    assert caught.value.fix == "write ../../libs/words"


def test_extras_add_their_requirements(library: Write, requirements: Write) -> None:
    folder = library()
    with (folder / "pyproject.toml").open("a") as file:
        file.write('\n[project.optional-dependencies]\nplots = ["matplotlib"]\n')
    path = requirements("numpy<2", "../../libs/words[plots]")
    (shared,) = find_shared(path)
    assert "matplotlib, numpy" in shared.normalised(path)
    with pytest.raises(SlipwayError, match="no extra 'plot'"):
        (shared,) = find_shared(requirements("../../libs/words[plot]"))
        shared.normalised(path)


@pytest.mark.parametrize(
    ("line", "what", "fix"),
    [
        ("../../libs/letters", "does not exist", "correct the path"),
        ("../../libs", "has no pyproject.toml", "pyproject.toml"),
        ("../../../elsewhere", "not a folder inside the repository", "move the package to libs/"),
        ("../..", "not a folder inside the repository", "libs/"),
        ("letters @ file:../../libs/words", "is named 'words'", "write words @ file:"),
        ("words", "would come from the index", "write ../../libs/words instead"),
        ("../../libs/words/pyproject.toml", "is a file", "name the folder"),
    ],
)
def test_what_no_pipeline_could_install_is_refused(
    library: Write, requirements: Write, line: str, what: str, fix: str
) -> None:
    library()
    path = requirements("numpy<2", line)
    with pytest.raises(SlipwayError, match=what) as caught:
        find_shared(path)
    assert fix in str(caught.value.fix)
    assert str(caught.value.where) == f"{path}:2"


def test_a_package_by_path_and_by_name_is_refused(library: Write, requirements: Write) -> None:
    library()
    with pytest.raises(SlipwayError, match="would come from the index") as caught:
        find_shared(requirements("../../libs/words", "words>=1"))
    assert caught.value.fix == "remove the line"


def test_a_needed_package_of_the_repository_is_never_taken_from_the_index(
    library: Write, requirements: Write
) -> None:
    library("letters")
    library("words", dependencies=("letters",))
    with pytest.raises(SlipwayError, match="words needs letters") as caught:
        find_shared(requirements("../../libs/words"))
    assert caught.value.fix == "add the line ../../libs/letters"
    find_shared(requirements("../../libs/words", "../../libs/letters"))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[project", "not valid TOML"),
        ("[tool.x]\n", "has no name"),
        ('[project]\nname = "words"\ndynamic = ["dependencies"]\n', "are dynamic"),
        ('[project]\nname = "words"\ndependencies = ["numpy<"]\n', "not a requirement"),
    ],
)
def test_metadata_that_only_a_build_would_tell_is_refused(
    library: Write, requirements: Write, text: str, what: str
) -> None:
    file = library() / "pyproject.toml"
    file.write_text(text)
    with pytest.raises(SlipwayError, match=what) as caught:
        find_shared(requirements("../../libs/words"))
    assert str(file) in str(caught.value.where)
