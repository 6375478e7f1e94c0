"""Lines that a ``requirements.txt`` cannot have here: each with its own cause and fix."""

from __future__ import annotations

import os
import re
from pathlib import Path

from slipway.environment.repository_root import repository_root
from slipway.environment.requirement_lines import (
    Malformed,
    NamedRequirement,
    Option,
    PathRequirement,
    RepositoryRequirement,
    RequirementLine,
    UrlRequirement,
)
from slipway.errors import SlipwayError

PAGE = "docs/environments.md"
HASHES = "`slipway lock` writes the hashes of all packages into requirements.lock"
# what each option is about, and what replaces it
OPTIONS = {
    "--requirement": (
        "a model's requirements are one file, which its lock is compared with",
        "replace the line by the lines of {value}",
    ),
    "--constraint": (
        "a model's requirements are one file, which its lock is compared with",
        "replace the line by those lines of {value} that matter here: a limit such as scipy<1.15"
        " also installs the package",
    ),
    "--index-url": (
        "indexes are the repository's, not a model's",
        'write index = [{{ url = "{value}", default = true }}] into uv.toml next to slipway.toml',
    ),
    "--extra-index-url": (
        "indexes are the repository's, not a model's",
        'write index = [{{ url = "{value}" }}] into uv.toml next to slipway.toml',
    ),
    "--no-index": (
        "indexes are the repository's, not a model's",
        "write no-index = true into uv.toml next to slipway.toml",
    ),
    "--find-links": (
        "places of packages are the repository's, not a model's",
        'write find-links = ["{value}"] into uv.toml next to slipway.toml',
    ),
    "--trusted-host": (
        "indexes are the repository's, not a model's",
        'write allow-insecure-host = ["{value}"] into uv.toml next to slipway.toml',
    ),
    "--no-binary": (
        "packages are installed from wheels",
        '[environment] build-from-source = ["{value}"] in slipway.toml builds one from source',
    ),
    "--only-binary": ("packages are installed from wheels anyway", "remove the line"),
    "--prefer-binary": ("packages are installed from wheels anyway", "remove the line"),
    "--require-hashes": (HASHES + ", and they are always required", "remove the line"),
    "--hash": (HASHES, "remove the line"),
    "--pre": (
        "versions before a release are taken where a requirement names one",
        "remove the line, and write the package such as torch>=2.9rc1",
    ),
}
AFTER_PACKAGE = {
    "--hash": (HASHES, "write {package} alone, and run `slipway lock`"),
    "--config-settings": (
        "packages are installed from wheels, and not built with settings",
        "write {package} alone",
    ),
}


def refuse_line(line: RequirementLine, requirements: Path) -> None:
    """Refuse a line that no lock can hold, or that no build could install.

    Raises:
        SlipwayError: the line is neither a package, nor a wheel by its URL, nor a path.
    """
    what, fix = _judge(line, requirements)
    if what:
        raise SlipwayError(what, where=f"{requirements}:{line.number}", fix=fix)


def _judge(line: RequirementLine, requirements: Path) -> tuple[str, str]:
    """Return why a line is refused, and what to write instead; two empty texts if it is not."""
    match line:
        case Option():
            cause, fix = OPTIONS.get(
                line.option, ("it is an option of pip", f"remove the line; {PAGE} has what may be")
            )
            return f"{line.text}: {cause}", fix.format(value=_value(line, requirements))
        case NamedRequirement(options=options) if options:
            name = re.split(r"[=\s]", options, maxsplit=1)[0]
            default = ("it is an option of pip", "write {package} alone")
            cause, fix = AFTER_PACKAGE.get(name, default)
            return f"{name}: {cause}", fix.format(package=line.requirement)
        case RepositoryRequirement():
            name = line.name or "the package"
            return (
                f"{line.url}: a revision of a repository has no hash that a build could verify",
                f"publish a wheel of {name} in your index and write its name; or copy its folder to"
                f" libs/ of this repository, and write ../../libs/{line.name or 'NAME'}",
            )
        case UrlRequirement():
            return _judge_url(line)
        case Malformed():
            single = re.fullmatch(r"([A-Za-z0-9][\w.-]*)\s*=\s*([\w.*!+-]+)", line.text)
            fix = "write one package per line, such as numpy<2"
            if single:
                fix = f"write {single[1]}=={single[2]}"
            return f"{line.text!r} is not a requirement: {line.reason}", fix
        case PathRequirement() | NamedRequirement():
            return "", ""


def _value(option: Option, requirements: Path) -> str:
    """Return an option's value for ``uv.toml``: a folder is named from the repository's root."""
    value = option.value.split()[0] if option.value else "…"
    folder, root = requirements.parent / value, repository_root(requirements.parent)
    if option.option == "--find-links" and root and folder.is_dir():
        return os.path.relpath(folder, root)
    return value


def _judge_url(line: UrlRequirement) -> tuple[str, str]:
    file = line.url.partition("#")[0].partition("?")[0].rpartition("/")[2]
    package = line.name or file.partition("-")[0] or "NAME"
    if not file.endswith(".whl"):
        return (
            f"{line.url} is not a wheel, and packages are installed from wheels",
            f"write {package} alone, with [environment] build-from-source = [{package!r}] in"
            " slipway.toml if your index has its source only".replace("'", '"'),
        )
    if line.name is None:
        return f"{line.url}: the line does not name the package", f"write {package} @ {line.url}"
    return "", ""
