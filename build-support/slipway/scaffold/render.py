"""Render a kind's templates to the files of a model folder."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from google.protobuf import text_encoding

from slipway import templates
from slipway.model.folder import VERSION_FILE
from slipway.scaffold.naming import PARTS

TEMPLATES = Path(__file__).parent / "templates"
JINJA = ".jinja"
LOCK = "requirements.lock"  # passed to locks.py, not copied directly
TEST = "tests/test_model.py"
# not a template file: Pants reads every file named BUILD.*
BUILD = "triton_model()\n\npython_tests()\n"


def render(kind: str, name: str, version: str, values: Mapping[str, Any], target: Path) -> None:
    """Write the files of the templates ``kind`` for the model ``name`` below ``target``.

    ``version`` is the release version, ``values`` are the templates' variables besides the name.
    ``*.jinja`` files are rendered, others are copied; templates named ``_*`` are only included.
    """
    (target / "BUILD").write_text(BUILD, encoding="utf-8")
    (target / VERSION_FILE).write_text(f"{version}\n", encoding="utf-8")
    base = TEMPLATES / kind
    for file in sorted(path for path in base.rglob("*") if path.is_file()):
        relative = file.relative_to(base).as_posix()
        if file.name.startswith("_") or relative == LOCK:
            continue
        output = target / target_path(relative, name)
        output.parent.mkdir(parents=True, exist_ok=True)
        if file.suffix == JINJA:
            text = render_text(f"{kind}/{relative}", {"name": name, **values})
            output.write_text(text, encoding="utf-8")
        else:
            shutil.copyfile(file, output)


def render_text(template: str, values: Mapping[str, Any]) -> str:
    """Return the text of a template, which ``template`` names with its kind."""
    environment = templates.environment(TEMPLATES)
    environment.filters |= {"text": _protobuf, "python": _python}
    return environment.get_template(template).render(**values)


def lock_of(kind: str) -> Path:
    """Return the bundled lock of a kind's requirements."""
    return TEMPLATES / kind / LOCK


def target_path(relative: str, name: str) -> str:
    """Return a file's path in the model folder; model directories are prefixed with its name."""
    relative = relative.removesuffix(JINJA)
    if relative == TEST:
        return f"tests/test_{name}.py"
    first, _, rest = relative.partition("/")
    return f"{name}_{first}/{rest}" if first in PARTS else relative


def _protobuf(value: str) -> str:
    """Return ``value`` as a string of protobuf's text format."""
    escaped = text_encoding.CEscape(value, as_utf8=True)  # type: ignore[arg-type]  # accepts str too
    return f'"{escaped}"'


def _python(value: str) -> str:
    """Return ``value`` as a Python string, with the quotes that black writes."""
    return json.dumps(value, ensure_ascii=False)
