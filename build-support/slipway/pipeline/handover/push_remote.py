"""Where a job or a container pushes to, and the token that lets it: never in a program's arguments,
in a log or in git's configuration.

``SLIPWAY_PUSH_TOKEN`` is the token, or ``SLIPWAY_PUSH_TOKEN_SECRET`` names a secret of AWS Secrets
Manager that holds it. Git gets it by variables of its environment
(https://git-scm.com/docs/git-config#ENVIRONMENT), as a header for this project's address alone.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from slipway.errors import SlipwayError
from slipway.process import run

TOKEN = "SLIPWAY_PUSH_TOKEN"
SECRET = "SLIPWAY_PUSH_TOKEN_SECRET"
SECRET_KEY = "token"  # of a secret that is a JSON object
# the project's address in GitLab, such as https://gitlab.example/team/models: a job's own, or a
# container's
ADDRESSES = ("SLIPWAY_REPOSITORY", "CI_PROJECT_URL")
NEEDS = f"{TOKEN} is a project access token with the scope write_repository and the role Developer"


@dataclass(frozen=True)
class PushRemote:
    """A ``url`` or the name of a remote, and git's ``environment``, which may hold a token.

    ``token`` is that token, so that it can be removed from what is shown.
    """

    url: str
    environment: Mapping[str, str]
    token: str | None = None

    def git(self, words: Sequence[str | Path], what: str, fix: str | None = None) -> str:
        """Run git with the remote's environment; return what it prints, standard error included.

        Raises:
            SlipwayError: git failed; without the token.
        """
        try:
            done = run(["git", *words], what=what, env=self.environment, fix=fix)
        except SlipwayError as error:
            raise SlipwayError(
                self.without_token(error.what), where=error.where, fix=error.fix
            ) from None
        return self.without_token(done.stdout + done.stderr)

    def without_token(self, text: str) -> str:
        """Return ``text`` without the token."""
        return text.replace(self.token, "…") if self.token else text


def push_remote(environ: Mapping[str, str]) -> PushRemote:
    """Return where to push: the project that the environment names, with a token; else ``origin``.

    Raises:
        SlipwayError: the secret that holds the token cannot be read.
    """
    address = next((environ[name] for name in ADDRESSES if environ.get(name)), None)
    # credential helpers of a user stay; a terminal is never asked
    env = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}
    for name in (TOKEN, SECRET):
        env.pop(name, None)
    token = push_token(environ)
    if address is None:
        return PushRemote("origin", env, token)
    url = address.removesuffix(".git")
    if "://" not in url:
        url = address  # a path
    else:
        address = f"{url}.git" if url.startswith("http") else address
    if not token:
        return PushRemote(address if environ.get(ADDRESSES[0]) else "origin", env)
    secret = base64.b64encode(f"oauth2:{token}".encode()).decode()
    env |= {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"http.{url}.git.extraHeader",
        "GIT_CONFIG_VALUE_0": f"Authorization: Basic {secret}",
    }
    return PushRemote(address, env, token)


def push_token(environ: Mapping[str, str]) -> str | None:
    """Return the token for pushes; ``None`` if none is configured.

    Raises:
        SlipwayError: AWS Secrets Manager does not give the secret, or it holds no token.
    """
    if environ.get(TOKEN):
        return environ[TOKEN]
    name = environ.get(SECRET)
    return _secret(name) if name else None


def _secret(name: str) -> str:
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    fix = f"allow secretsmanager:GetSecretValue of {name} to this role; its value is the token"
    try:
        text = boto3.client("secretsmanager").get_secret_value(SecretId=name).get("SecretString")
    except (BotoCoreError, ClientError, ValueError) as error:
        raise SlipwayError(f"cannot read the push token: {error}", where=name, fix=fix) from error
    text = str(text or "").strip()
    if text.startswith("{"):
        try:
            text = str(json.loads(text).get(SECRET_KEY) or "")
        except ValueError:
            text = ""
    if not text or any(letter.isspace() for letter in text):
        raise SlipwayError(
            "the secret holds no token",
            where=name,
            fix=f'its value is the token, or {{"{SECRET_KEY}": "…"}}',
        )
    return text
