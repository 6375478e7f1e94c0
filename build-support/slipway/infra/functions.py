"""The code of a template's Lambda functions, which is in files of its own.

``Code: {ZipFile: lambda/airflow_api.py}`` names a file beside the template. CloudFormation takes
the code in the template, zips it and calls it ``index``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from slipway.errors import SlipwayError

FUNCTION = "AWS::Lambda::Function"
SUFFIX = ".py"
MAX_CHARACTERS = 4096  # of inline code (CloudFormation, AWS::Lambda::Function Code)


def embed_functions(document: dict[str, Any], template: Path) -> bool:
    """Replace the names of files by their text, in place; return whether there were any.

    Raises:
        SlipwayError: a file does not exist, is outside the template's folder, is not Python, or is
            too long.
    """
    embedded = False
    for name, resource in document["Resources"].items():
        if not isinstance(resource, dict) or resource.get("Type") != FUNCTION:
            continue
        code = resource.get("Properties", {}).get("Code", {})
        file = code.get("ZipFile")
        if isinstance(file, str) and file.endswith(SUFFIX) and "\n" not in file:
            code["ZipFile"] = _read(template.parent, file, f"{template}: {name}")
            embedded = True
    return embedded


def _read(folder: Path, file: str, where: str) -> str:
    path = folder / file
    if not path.resolve().is_relative_to(folder.resolve()):
        raise SlipwayError(
            f"{file} is outside the template's folder", where=where, fix=f"move it into {folder}"
        )
    try:
        text = path.read_text(encoding="utf-8")
        compile(text, str(path), "exec")
    except (OSError, ValueError, SyntaxError) as error:
        raise SlipwayError(
            f"cannot read the function's code: {error}", where=where, fix=f"correct {path}"
        ) from error
    if len(text) > MAX_CHARACTERS:
        raise SlipwayError(
            f"{file} has {len(text):,} characters; CloudFormation takes {MAX_CHARACTERS:,} inline",
            where=where,
            fix="shorten it, or put a package into S3 and name S3Bucket and S3Key",
        )
    return text
