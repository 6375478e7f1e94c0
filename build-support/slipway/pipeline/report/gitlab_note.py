"""The report as one note on the merge request: created once, then updated."""

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
MAX_CHARACTERS = 1_000_000


def update_note(report: Report, environ: Mapping[str, str] = os.environ) -> str:
    """Create the note, or update the existing one; return a message of what was done.

    A pipeline does not fail because of a note: a failure is in the message, too.
    """
    missing = gitlab_api.missing_variables(environ, REQUEST)
    if missing:
        return f"no comment on a merge request: {', '.join(missing)} not set"
    try:
        return f"merge request !{environ[REQUEST]}: {_update_note(_text(report), environ)}"
    except SlipwayError as error:
        return f"warning: no comment on the merge request: {error}"


def _text(report: Report) -> str:
    text = render.render_markdown(report)
    return (
        text
        if len(text) <= MAX_CHARACTERS
        else render.render_markdown(report, brief=True)[:MAX_CHARACTERS]
    )


def _update_note(text: str, environ: Mapping[str, str]) -> str:
    with gitlab_api.connect(environ) as client:
        client.auth()
        user_id = None if client.user is None else client.user.id
        project = gitlab_api.project(client, environ)
        request = project.mergerequests.get(int(environ[REQUEST]), lazy=True)
        own = [note for note in request.notes.list(iterator=True) if _is_own(note, user_id)]
        # the oldest is where people have seen it; two concurrent jobs may have created two
        own.sort(key=lambda note: int(note.id))
        for note in own[1:]:
            note.delete()
        if not own:
            request.notes.create({"body": text})
            return "created the report's note"
        if own[0].body == text:
            return "the report's note is up to date"
        own[0].body = text
        own[0].save()
        return "updated the report's note"


def _is_own(note: Any, user_id: object) -> bool:
    """Return whether this user wrote the note, with the marker: others may have quoted a report."""
    return MARKER in note.body and note.author["id"] == user_id
