"""The report as one note on the merge request: written once, then renewed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from slipway.errors import SlipwayError
from slipway.pipeline import gitlab_api
from slipway.pipeline.report import render
from slipway.pipeline.report.build import Report
from slipway.pipeline.report.render import MARKER

REQUEST = "CI_MERGE_REQUEST_IID"
# characters of a note: https://docs.gitlab.com/administration/instance_limits/
LARGEST = 1_000_000


def put(report: Report, environ: Mapping[str, str] = os.environ) -> str:
    """Write the note, or renew the one from before; says what was done.

    A pipeline does not fail for it: what went wrong is in what it says.
    """
    lacking = gitlab_api.missing(environ, REQUEST)
    if lacking:
        return f"no comment on a merge request: {', '.join(lacking)} not set"
    try:
        return f"merge request !{environ[REQUEST]}: {_put(_text(report), environ)}"
    except SlipwayError as error:
        return f"warning: no comment on the merge request: {error}"


def _text(report: Report) -> str:
    text = render.markdown(report)
    return text if len(text) <= LARGEST else render.markdown(report, brief=True)[:LARGEST]


def _put(text: str, environ: Mapping[str, str]) -> str:
    with gitlab_api.client(environ) as made:
        made.auth()
        me = None if made.user is None else made.user.id
        project = gitlab_api.project(made, environ)
        request = project.mergerequests.get(int(environ[REQUEST]), lazy=True)
        own = [note for note in request.notes.list(iterator=True) if _is_own(note, me)]
        # the oldest stays where people have seen it; two jobs at once may have left two
        own.sort(key=lambda note: int(note.id))
        for note in own[1:]:
            note.delete()
        if not own:
            request.notes.create({"body": text})
            return "the report is a new note"
        if own[0].body == text:
            return "the report is there already"
        own[0].body = text
        own[0].save()
        return "the report is renewed"


def _is_own(note: Any, me: object) -> bool:
    """By this user and with the marker: somebody else may have quoted a report."""
    return MARKER in note.body and note.author["id"] == me
