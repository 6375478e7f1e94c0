"""SW11x: what folder, models and release are called."""

from __future__ import annotations

import re
from collections.abc import Iterator

import semver

from slipway.check.finding import Found, Place
from slipway.check.rule import rule
from slipway.check.subject import Config, Subject

ALLOWED = re.compile(r"[A-Za-z0-9._-]+")
# all that the server looks for which can be part of a name
WORDS = (
    "CUDA out of memory",
    "CUDA_OUT_OF_MEMORY",
    "Out of memory",
    "Out Of Memory",
    "out of memory",
    "MemoryError",
    "OutOfMemory",
    "OOM",
    "CNMEM_STATUS_OUT_OF_MEMORY",
    "CUDNN_STATUS_NOT_INITIALIZED",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUBLAS_STATUS_NOT_INITIALIZED",
    "No space left on device",
)
# what staging adds to the release version (release/publish.py), and the longest name of a file
STAGING = "-rc.h0123456789ab"
LONGEST = 255


@rule(
    "SW111",
    "name-differs",
    reason="the load fails: “directory name must equal model name”",
    source="Triton core, model_repository_manager.cc, and seen on 24.10",
)
def name_differs(subject: Subject) -> Iterator[Found]:
    """A composing model's ``name`` is not its directory's."""
    return (_named_otherwise(each) for each in _misnamed(subject) if each is not subject.served)


@rule(
    "SW120",
    "served-name-differs",
    severity="warning",
    reason="an endpoint maps the name and answers; any other Triton refuses the model",
    source="Triton core, model_repository_manager.cc (model name mapping), and seen on 24.10",
)
def served_name_differs(subject: Subject) -> Iterator[Found]:
    """The served model's ``name`` is not its directory's."""
    return (_named_otherwise(each) for each in _misnamed(subject) if each is subject.served)


def _misnamed(subject: Subject) -> Iterator[Config]:
    for each, message in subject.parsed.values():
        if message.name and message.name != each.name:
            yield each


def _named_otherwise(each: Config) -> Found:
    assert each.message is not None
    return Found(
        each.place("name"),
        f"its name is {each.message.name!r}, its directory's {each.name!r}",
        f'name: "{each.name}"',
        (each.replaced(("name",), f'name: "{each.name}"'),),
    )


@rule(
    "SW112",
    "name-not-unique",
    reason="a BLS call in one artifact may be answered by the other's model of that name",
    source="Triton core, model_repository_manager.cc (namespaces), and seen on 24.10",
)
def name_not_unique(subject: Subject) -> Iterator[Found]:
    """Another model folder has a model of this name."""
    here = subject.folder.resolve()
    for each in subject.configs.values():
        for owner in subject.repository.owners.get(each.name, ()):
            if owner != each.directory.absolute() and owner.resolve().parent != here:
                yield Found(
                    Place(each.directory),
                    f"there is another model {each.name!r} in {owner.parent.name}/",
                    "rename one of them: a model's name begins with its folder's",
                )


@rule(
    "SW113",
    "name-characters",
    reason="it becomes a part of keys, URLs and the server's paths",
    source="AWS, TargetModel; Triton server, sagemaker_server.h (model_path_regex_)",
)
def name_characters(subject: Subject) -> Iterator[Found]:
    """A folder's or model's name has other characters than letters, digits, ``.``, ``_``, ``-``."""
    for path in (subject.folder, *(each.directory for each in subject.configs.values())):
        name = path.resolve().name
        if not ALLOWED.fullmatch(name):
            odd = sorted(set(ALLOWED.sub("", name)))
            yield Found(
                Place(path),
                f"{name!r} has {' '.join(repr(character) for character in odd)} in it",
                f"rename it, such as {re.sub(r'[^A-Za-z0-9._-]+', '_', name)}",
            )


@rule(
    "SW114",
    "word-of-507",
    severity="warning",
    reason="an error that quotes this name is answered with 507, and the platform evicts a model",
    source="Triton server, sagemaker_server.cc (SageMakerMMECheckOOMError), and seen on 24.10",
)
def word_of_507(subject: Subject) -> Iterator[Found]:
    """A name that the server takes for a lack of memory, such as BEDROOMS."""
    names = [(subject.name, Place(subject.folder))]
    names += [(each.name, Place(each.directory)) for each in subject.configs.values()]
    for each, message in subject.parsed.values():
        for field in ("input", "output"):
            names += [
                (tensor.name, each.place(field, number, "name"))
                for number, tensor in enumerate(getattr(message, field))
            ]
    for name, place in names:
        word = next((word for word in WORDS if word in name), None)
        if word:
            yield Found(place, f"{name!r} has {word!r} in it", "rename it, or in lower case")


@rule(
    "SW115",
    "no-version-file",
    reason="packing refuses it: a release without a version has no name",
    source="Slipway, repository.py",
)
def no_version_file(subject: Subject) -> Iterator[Found]:
    """``model_version.txt`` is missing."""
    if not subject.version_file.is_file():
        yield Found(Place(subject.version_file), "no such file", "write 0.1.0 into it")


@rule(
    "SW116",
    "version-not-semantic",
    reason="packing refuses it: releases are ordered by their versions",
    source="https://semver.org; Slipway, repository.py",
)
def version_not_semantic(subject: Subject) -> Iterator[Found]:
    """``model_version.txt`` holds something else."""
    version = _version(subject)
    if version is not None and not semver.Version.is_valid(version):
        yield Found(
            Place(subject.version_file, 1, 1),
            f"{version!r} is no semantic version",
            "three numbers, such as 1.2.0",
        )


@rule(
    "SW117",
    "artifact-name-too-long",
    reason="no file system takes the file that the artifact, or its release, would be",
    source="Linux, NAME_MAX; AWS allows a TargetModel 1024 characters",
)
def artifact_name_too_long(subject: Subject) -> Iterator[Found]:
    """The target model's file name has more than 255 characters."""
    version = _version(subject)
    length = len(f"{subject.name}_{version}{STAGING}.tar.gz")
    if version is not None and semver.Version.is_valid(version) and length > LONGEST:
        yield Found(
            Place(subject.version_file, 1, 1),
            f"the artifact's name has {length} characters in staging, and may have {LONGEST}",
            "a shorter release version",
        )


@rule(
    "SW118",
    "version-with-build",
    severity="warning",
    reason="a + in a key reads as a space in URLs, and versions that differ by it alone are equal",
    source="AWS S3, object keys; https://semver.org, 10",
)
def version_with_build(subject: Subject) -> Iterator[Found]:
    """The release version has build metadata."""
    version = _version(subject)
    if version is not None and semver.Version.is_valid(version) and "+" in version:
        bare = version.partition("+")[0]
        yield Found(
            Place(subject.version_file, 1, 1),
            f"{version!r} carries build metadata",
            f"{bare}: the artifact's manifest records the commit and the lock",
        )


@rule(
    "SW119",
    "name-without-folder",
    severity="warning",
    reason="two model folders that come to use the same name cannot be served side by side",
    source="Slipway: names are unique because they begin with their folder's",
)
def name_without_folder(subject: Subject) -> Iterator[Found]:
    """A model's name does not begin with the folder's."""
    here = subject.folder.resolve()
    for each in subject.configs.values():
        owners = subject.repository.owners.get(each.name, ())
        if not each.name.startswith(subject.name) and all(
            owner.resolve().parent == here for owner in owners
        ):
            yield Found(
                Place(each.directory),
                f"its name does not begin with {subject.name!r}",
                f"rename it: {subject.name}_{each.name.rpartition('_')[2]}",
            )


def _version(subject: Subject) -> str | None:
    try:
        return subject.version_file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return None
