"""The ``tar.gz`` of weights in a research job's artifacts, downloaded with a job token.

The token of a job (``CI_JOB_TOKEN``) can read the artifacts of projects that allow it: no key is
stored. Sources: https://docs.gitlab.com/ci/jobs/ci_job_token/ and
https://docs.gitlab.com/api/job_artifacts/
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gitlab
import requests

from slipway.errors import SlipwayError

FILE = "slipway-handover.tar.gz"  # the name in templates/release.yml
TIMEOUT_S = 60.0
HEADER = "JOB-TOKEN"
REQUIRED_VARIABLES = ("CI_JOB_TOKEN", "CI_SERVER_URL")


class TooLarge(Exception):
    """GitLab sent more bytes than allowed."""


class _Session(requests.Session):
    """A session that does not send the token to object storage, to which GitLab may redirect."""

    def rebuild_auth(
        self, prepared_request: requests.PreparedRequest, response: requests.Response
    ) -> None:
        super().rebuild_auth(prepared_request, response)
        before, after = str(response.request.url), str(prepared_request.url)
        if self.should_strip_auth(before, after):
            prepared_request.headers.pop(HEADER, None)


def download(environ: Mapping[str, str], project: str, job: int, to: Path, max_bytes: int) -> None:
    """Download what job number ``job`` of ``project`` (a path or a number) handed over to ``to``,
    at most ``max_bytes`` bytes.

    Raises:
        SlipwayError: the file does not exist or is larger, or GitLab refuses or cannot be reached;
            ``to`` is incomplete then.
    """
    missing = [name for name in REQUIRED_VARIABLES if not environ.get(name)]
    if missing:
        raise SlipwayError(
            f"cannot download from GitLab: {' and '.join(missing)} not set",
            fix="run this in a GitLab job, or pass a file with --file",
        )
    url, token = environ["CI_SERVER_URL"], environ["CI_JOB_TOKEN"]
    where = f"{url}/{project}, job {job}"
    written = 0

    with to.open("wb") as file, _Session() as session:

        def write(chunk: bytes) -> None:
            nonlocal written
            written += len(chunk)
            if written > max_bytes:
                raise TooLarge
            file.write(chunk)

        options: dict[str, Any] = {"streamed": True, "action": write, "chunk_size": 1 << 20}
        try:
            client = gitlab.Gitlab(url, job_token=token, timeout=TIMEOUT_S, session=session)
            jobs = client.projects.get(project, lazy=True).jobs
            jobs.get(job, lazy=True).artifact(FILE, **options)
        except TooLarge:
            raise SlipwayError(
                f"{FILE} has more than {max_bytes:,} bytes",
                where=where,
                fix="raise --max-size, or omit files that no model serves",
            ) from None
        except gitlab.GitlabError as error:
            message = str(error).replace(token, "…")
            raise SlipwayError(
                f"cannot download {FILE}: {message}", where=where, fix=_fix(error.response_code)
            ) from None  # its text may contain the token
        except OSError as error:  # the base class of requests' errors
            message = str(error).replace(token, "…")
            raise SlipwayError(
                f"cannot reach GitLab: {message}", where=where, fix="retry the job"
            ) from None


def _fix(code: int | None) -> str:
    if code in (401, 403):
        return (
            "allow this project in the research project's Settings, CI/CD, Job token permissions;"
            " the user who started the pipeline must be its member"
        )
    if code == 404:
        return "check the job's number, and that its artifacts have not expired"
    return "retry the job"
