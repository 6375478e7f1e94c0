"""GitLab's API as a pipeline reaches it: the project, by GitLab's own variables and a token."""

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


def missing(environ: Mapping[str, str], *more: str) -> list[str]:
    """The variables that are not set; with ``CI_API_V4_URL``, ``CI_SERVER_URL`` is not needed."""
    wanted = [TOKEN, *VARIABLES, *more]
    if environ.get("CI_API_V4_URL"):
        wanted.remove("CI_SERVER_URL")
    return [name for name in wanted if not environ.get(name)]


@contextmanager
def client(environ: Mapping[str, str]) -> Iterator[gitlab.Gitlab]:
    """python-gitlab's client. Whatever goes wrong in the block is told without the token.

    Raises:
        SlipwayError: GitLab refuses, or is not reached.
    """
    token = environ[TOKEN]
    url = environ.get("CI_API_V4_URL", "").rstrip("/").removesuffix("/api/v4")
    url = url or environ["CI_SERVER_URL"]
    try:
        with gitlab.Gitlab(url, private_token=token, timeout=TIMEOUT_S) as made:
            made.session.max_redirects = 0  # they would carry the token elsewhere
            yield made
    except (gitlab.GitlabError, OSError, ValueError) as error:  # those of requests are OSErrors
        raise SlipwayError(
            f"GitLab does not take it: {str(error).replace(token, '…')}",
            where=url,
            fix=f"check {TOKEN}: a project access token with the scope api and the role Reporter",
        ) from None  # whose text may hold the token


def project(made: gitlab.Gitlab, environ: Mapping[str, str]) -> Project:
    """The pipeline's project, of which nothing is asked yet."""
    return made.projects.get(environ["CI_PROJECT_ID"], lazy=True)


def failed_jobs(environ: Mapping[str, str]) -> list[tuple[str, str | None]]:
    """Names of the pipeline's jobs that failed and may not, and the addresses of their logs; empty
    where GitLab cannot be asked.

    Raises:
        SlipwayError: GitLab refuses, or is not reached.
    """
    if missing(environ, PIPELINE):
        return []
    with client(environ) as made:
        pipeline = project(made, environ).pipelines.get(int(environ[PIPELINE]), lazy=True)
        found = pipeline.jobs.list(scope="failed", iterator=True)
        return [(str(job.name), job.web_url) for job in found if not job.allow_failure]
