"""Where an artifact has the environment of its Python models, and how their configs name it."""

from __future__ import annotations

ENVIRONMENT = "python_env"
KEYWORD = "$$TRITON_MODEL_DIRECTORY"  # the value has to start with it (Triton's Python backend)
PARAMETER = "EXECUTION_ENV_PATH"


def environment_value(name: str, home: str) -> str:
    """Return the ``EXECUTION_ENV_PATH`` of the model ``name`` for an environment at ``home``.

    ``home`` is a path in the artifact, or an absolute one in the image that serves.
    """
    if home.startswith("/"):
        return home
    owner, _, rest = home.partition("/")
    return f"{KEYWORD}/{rest}" if owner == name else f"{KEYWORD}/../{home}"
