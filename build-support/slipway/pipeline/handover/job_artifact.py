"""What a research repository hands over: one ``tar.gz`` among a job's artifacts, fetched by job token.

The token of a job (``CI_JOB_TOKEN``) reads the artifacts of projects that allow it; nobody stores a
key. Source: https://docs.gitlab.com/ci/jobs/ci_job_token/ and
https://docs.gitlab.com/api/job_artifacts/
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gitlab
import requests

from slipway.errors import SlipwayError

FILE = "slipway-handover.tar.gz"  # templates/release.yml packs it under this name
TIMEOUT_S = 60.0
HEADER = "JOB-TOKEN"
NEEDED = ("CI_JOB_TOKEN", "CI_SERVER_URL")


class TooLarge(Exception):
    """More bytes came than were allowed."""


class _Session(requests.Session):
    """Object storage, to which GitLab may redirect a download, does not get the token."""

    def rebuild_auth(
        self, prepared_request: requests.PreparedRequest, response: requests.Response
    ) -> None:
        super().rebuild_auth(prepared_request, response)
        before, after = str(response.request.url), str(prepared_request.url)
        if self.should_strip_auth(before, after):
            prepared_request.headers.pop(HEADER, None)


def fetch(environ: Mapping[str, str], project: str, job: int, to: Path, most: int) -> None:
    """Write what the job number ``job`` of ``project`` (a path or a number) handed over to ``to``,
    at most ``most`` bytes.

    Raises:
        SlipwayError: there is none, it is larger, or GitLab refuses or is not reached; ``to`` is
            not whole then.
    """
    missing = [name for name in NEEDED if not environ.get(name)]
    if missing:
        raise SlipwayError(
            f"without {' and '.join(missing)} nothing can be fetched",
            fix="this runs in a job of GitLab; here, give it a file with --file",
        )
    url, token = environ["CI_SERVER_URL"], environ["CI_JOB_TOKEN"]
    where = f"{url}/{project}, job {job}"
    written = 0

    with to.open("wb") as file, _Session() as session:

        def take(chunk: bytes) -> None:
            nonlocal written
            written += len(chunk)
            if written > most:
                raise TooLarge
            file.write(chunk)

        options: dict[str, Any] = {"streamed": True, "action": take, "chunk_size": 1 << 20}
        try:
            asked = gitlab.Gitlab(url, job_token=token, timeout=TIMEOUT_S, session=session)
            jobs = asked.projects.get(project, lazy=True).jobs
            jobs.get(job, lazy=True).artifact(FILE, **options)
        except TooLarge:
            raise SlipwayError(
                f"{FILE} has more than {most:,} bytes",
                where=where,
                fix="raise --most, or leave out what no model serves",
            ) from None
        except gitlab.GitlabError as error:
            said = str(error).replace(token, "…")
            raise SlipwayError(
                f"{FILE} was not fetched: {said}", where=where, fix=_fix(error.response_code)
            ) from None  # whose text may hold the token
        except OSError as error:  # those of requests are
            said = str(error).replace(token, "…")
            raise SlipwayError(
                f"GitLab was not reached: {said}", where=where, fix="retry the job"
            ) from None


def _fix(code: int | None) -> str:
    if code in (401, 403):
        return (
            "let the research project allow this one: Settings, CI/CD, Job token permissions; and"
            " whoever started the pipeline needs to be its member"
        )
    if code == 404:
        return "check the job's number, and that its artifacts have not expired"
    return "retry the job"
