"""GitLab's API for a pipeline's project, configured by GitLab's own variables and a token."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import gitlab
from gitlab.v4.objects import Project

from slipway.errors import SlipwayError

TOKEN = "SLIPWAY_GITLAB_TOKEN"
TIMEOUT_S = 20.0
PIPELINE = "CI_PIPELINE_ID"
VARIABLES = ("CI_SERVER_URL", "CI_PROJECT_ID")


def missing_variables(environ: Mapping[str, str], *more: str) -> list[str]:
    """Return the variables that are not set; ``CI_API_V4_URL`` makes ``CI_SERVER_URL`` optional."""
    required = [TOKEN, *VARIABLES, *more]
    if environ.get("CI_API_V4_URL"):
        required.remove("CI_SERVER_URL")
    return [name for name in required if not environ.get(name)]


@contextmanager
def connect(environ: Mapping[str, str]) -> Iterator[gitlab.Gitlab]:
    """Yield python-gitlab's client. Errors of the block are reported without the token.

    Raises:
        SlipwayError: GitLab refuses, or cannot be reached.
    """
    token = environ[TOKEN]
    url = environ.get("CI_API_V4_URL", "").rstrip("/").removesuffix("/api/v4")
    url = url or environ["CI_SERVER_URL"]
    try:
        with gitlab.Gitlab(url, private_token=token, timeout=TIMEOUT_S) as client:
            client.session.max_redirects = 0  # they would send the token elsewhere
            yield client
    except (gitlab.GitlabError, OSError, ValueError) as error:  # requests' errors are OSErrors
        raise SlipwayError(
            f"request to GitLab failed: {str(error).replace(token, '…')}",
            where=url,
            fix=f"check {TOKEN}: a project access token with the scope api and the role Reporter",
        ) from None  # its text may contain the token


def project(client: gitlab.Gitlab, environ: Mapping[str, str]) -> Project:
    """Return the pipeline's project, without a request."""
    return client.projects.get(environ["CI_PROJECT_ID"], lazy=True)


def failed_jobs(environ: Mapping[str, str]) -> list[tuple[str, str | None]]:
    """Return the names of the pipeline's failed jobs and the URLs of their logs, without jobs that
    may fail; empty if the variables for a request are missing.

    Raises:
        SlipwayError: GitLab refuses, or cannot be reached.
    """
    if missing_variables(environ, PIPELINE):
        return []
    with connect(environ) as client:
        pipeline = project(client, environ).pipelines.get(int(environ[PIPELINE]), lazy=True)
        jobs = pipeline.jobs.list(scope="failed", iterator=True)
        return [(str(job.name), job.web_url) for job in jobs if not job.allow_failure]
