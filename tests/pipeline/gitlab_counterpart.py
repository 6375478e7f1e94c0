"""What of GitLab's REST API a pipeline uses, kept in memory: https://docs.gitlab.com/api/notes/."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.pipeline.notify.receivers import Receiver, Reply, Request

TOKEN = "glpat-made-up-and-secret"
ME, SOMEBODY = 7, 8
PROJECT, REQUEST, PIPELINE = "5", "3", "9"
NOTES = f"/api/v4/projects/{PROJECT}/merge_requests/{REQUEST}/notes"
PER_PAGE = 2  # however many are asked for


@dataclass
class GitLab(Receiver):
    """Notes of one merge request by their id, and jobs of one pipeline."""

    notes: dict[int, dict[str, Any]] = field(default_factory=dict)
    jobs: list[dict[str, Any]] = field(default_factory=list)

    def variables(self) -> dict[str, str]:
        """What a job of its has in its environment."""
        return {
            "SLIPWAY_GITLAB_TOKEN": TOKEN,
            "CI_SERVER_URL": self.url,
            "CI_API_V4_URL": f"{self.url}/api/v4",
            "CI_PROJECT_ID": PROJECT,
            "CI_MERGE_REQUEST_IID": REQUEST,
            "CI_PIPELINE_ID": PIPELINE,
        }

    def note(self, body: str, author: int = SOMEBODY) -> int:
        """Add a note; its id."""
        number = 100 + len(self.notes)
        self.notes[number] = {"id": number, "body": body, "author": {"id": author}}
        return number

    def answer(self, request: Request) -> Reply:
        """As GitLab does."""
        self.requests.append(request)
        if self.replies:
            return self.replies.pop(0)
        if request.headers.get("private-token") != TOKEN:
            return _json({"message": "401 Unauthorized"}, 401)
        url = urlsplit(request.path)
        own = re.fullmatch(rf"{NOTES}/(\d+)", url.path)
        if url.path == "/api/v4/user":
            return _json({"id": ME, "username": "project_5_bot"})
        if url.path == NOTES:
            if request.method == "POST":
                number = self.note(request.json["body"], ME)
                return _json(self.notes[number], 201)
            return self._page(list(self.notes.values()), url.query, NOTES)
        if own and request.method == "DELETE":
            del self.notes[int(own[1])]
            return Reply(204, "")
        if own and request.method == "PUT":
            note = self.notes[int(own[1])]
            if note["author"]["id"] != ME:
                return _json({"message": "403 Forbidden"}, 403)
            note["body"] = request.json["body"]
            return _json(note)
        jobs = f"/api/v4/projects/{PROJECT}/pipelines/{PIPELINE}/jobs"
        if url.path == jobs:
            (scope,) = parse_qs(url.query)["scope[]"]
            return self._page([j for j in self.jobs if j["status"] == scope], url.query, jobs)
        return _json({"message": "404 Not found"}, 404)

    def _page(self, items: list[Any], query: str, path: str) -> Reply:
        asked = parse_qs(query)
        page = int(asked.get("page", ["1"])[0])
        begin = (page - 1) * PER_PAGE
        headers: tuple[tuple[str, str], ...] = ()
        if begin + PER_PAGE < len(items):
            scope = "".join(f"&scope[]={value}" for value in asked.get("scope[]", []))
            headers = (("Link", f'<{self.url}{path}?page={page + 1}{scope}>; rel="next"'),)
        return _json(items[begin : begin + PER_PAGE], headers=headers)


def _json(value: Any, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    return Reply(status, json.dumps(value), (("Content-Type", "application/json"), *headers))
