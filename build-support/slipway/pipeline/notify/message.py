"""A release event as a message: for Slack-compatible webhooks, and as plain text.

Slack's formatting and its limits: https://docs.slack.dev/messaging/formatting-message-text and
https://docs.slack.dev/reference/block-kit/blocks. SNS's subject:
https://docs.aws.amazon.com/sns/latest/api/API_Publish.html.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from slipway.pipeline.notify.event import ModelChange, ReleaseEvent

# characters: the limits of Slack and SNS; for the text, what Slack advises
MAX_HEADER, MAX_SECTION, MAX_CONTEXT, MAX_TEXT, MAX_SUBJECT = 150, 3000, 2000, 4000, 100
MAX_LINE = 200  # characters of a text that a person wrote
NAMES_IN_HEADER = 3
MAX_MODELS = 10  # models with details: a message has 50 blocks at most
# a zero-width space: Mattermost and others read mentions in any text
DEFUSED_AT = "@\u200b"
SIGNS = {"released": "🚀", "failed": "🔴", "rolled-back": "↩️", "drifted": "🌊", "settled": "✅"}
HEADLINES = {
    "released": "Released to {stage}",
    "failed": "Failed on the way to {stage}",
    "rolled-back": "Rolled back in {stage}",
    "drifted": "Drift in {stage}",
    "settled": "Drift has ended in {stage}",
}


@dataclass(frozen=True)
class Message:
    """``body`` is a webhook's JSON; ``subject`` and ``plain`` are for mail."""

    body: dict[str, Any]
    subject: str
    plain: str


class Style(Protocol):
    """Formats a kind of text; the values it formats may contain anything."""

    def text(self, value: str) -> str: ...
    def code(self, value: str) -> str: ...
    def bold(self, value: str) -> str: ...
    def link(self, url: str, label: str) -> str: ...


class Mrkdwn:
    """Slack's format ``mrkdwn``."""

    def text(self, value: str) -> str:
        """Return ``value`` on one line, escaped as Slack documents."""
        line = _line(value).replace("@", DEFUSED_AT)
        return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

    def code(self, value: str) -> str:
        """Return ``value`` in fixed width."""
        return f"`{self.text(value.replace('`', '’'))}`"

    def bold(self, value: str) -> str:
        """Return ``value`` in bold."""
        return f"*{self.text(value)}*"

    def link(self, url: str, label: str) -> str:
        """Return ``label`` as a link to ``url``; only the label if ``url`` is not an HTTP URL."""
        if not re.match(r"https?://", url):
            return self.text(label)
        safe = url.replace("|", "%7C").replace(">", "%3E").replace("<", "%3C").replace(" ", "%20")
        return f"<{safe.replace('&', '&amp;')}|{self.text(label).replace('|', '¦')}>"


class Plain:
    """The text of a mail."""

    def text(self, value: str) -> str:
        """Return ``value`` on one line."""
        return _line(value)

    code = bold = text

    def link(self, url: str, label: str) -> str:
        """Return ``label`` with ``url`` after it."""
        return f"{self.text(label)} ({url})"


def render_message(event: ReleaseEvent) -> Message:
    """Return the message about ``event``."""
    rich, plain = Mrkdwn(), Plain()
    header = f"{SIGNS[event.kind]} {_headline(event)}"
    detailed = event.models[:MAX_MODELS]
    more = [model.name for model in event.models[MAX_MODELS:]]
    rest = [f"and {len(more)} more:", *more] if more else []
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": _cut(header, MAX_HEADER)}},
        *(_section(_model_lines(event, model, rich)) for model in detailed),
        _section([*_job_lines(event, rich), *map(rich.text, rest)]),
        {"type": "context", "elements": [_mrkdwn(_cut(_origin(event, rich), MAX_CONTEXT))]},
    ]

    def lines(style: Style) -> list[str]:
        body = [line for model in detailed for line in _model_lines(event, model, style)]
        body += [*_job_lines(event, style), *map(style.text, rest), _origin(event, style)]
        return [style.text(header), *filter(None, body)]

    body = {
        # the only part shown where blocks are not supported (Mattermost)
        "text": _fit_lines(lines(rich), MAX_TEXT),
        "blocks": [block for block in blocks if _has_text(block)],
    }
    return Message(body, _subject_line(_headline(event)), "\n".join(lines(plain)) + "\n")


def _section(lines: Sequence[str]) -> dict[str, Any]:
    return {"type": "section", "text": _mrkdwn(_fit_lines(lines, MAX_SECTION))}


def _mrkdwn(text: str) -> dict[str, str]:
    return {"type": "mrkdwn", "text": text}


def _has_text(block: dict[str, Any]) -> bool:
    """Return whether the block has text: Slack refuses a message with an empty block."""
    texts = [block["text"]] if "text" in block else block["elements"]
    return all(text["text"] for text in texts)


def _headline(event: ReleaseEvent) -> str:
    headline = HEADLINES[event.kind].format(stage=event.stage)
    names = [model.name for model in event.models]
    if not names:
        return headline
    if len(names) > 1:
        more = f" and {len(names) - NAMES_IN_HEADER} more" if len(names) > NAMES_IN_HEADER else ""
        return f"{headline}: {', '.join(names[:NAMES_IN_HEADER])}{more}"
    return f"{headline}: {names[0]} {_versions(event, event.models[0])}".rstrip()


def _versions(event: ReleaseEvent, model: ModelChange) -> str:
    if event.kind == "failed":
        return model.version or ""
    return " → ".join(filter(None, (model.previous_version, model.version)))


def _model_lines(event: ReleaseEvent, model: ModelChange, style: Style) -> list[str]:
    """Return the lines about one model. The header already names an only model and its versions."""
    note = "; ".join(filter(None, (_note(event, model), model.problem)))
    if len(event.models) == 1:
        lines = [style.text(note)] if note else []
    else:
        title = f"{style.bold(model.name)} {style.text(_versions(event, model))}".rstrip()
        lines = [f"{title} ({style.text(note)})" if note else title]
    reason = model.reason or event.reason
    if reason:
        lines.append(f"why: {style.text(reason)}")
    lines += [f"• {style.text(change)}" for change in model.changes]
    if model.more_changes:
        lines.append(f"• and {model.more_changes} more")
    if model.undo_command:
        lines.append(f"undo: {style.code(model.undo_command)}")
    if model.show_command:
        lines.append(f"see: {style.code(model.show_command)}")
    return lines


def _note(event: ReleaseEvent, model: ModelChange) -> str:
    if event.kind == "failed":
        previous = model.previous_version
        return f"{event.stage} still serves {previous}" if previous else ""
    first = event.kind == "released" and model.version and not model.previous_version
    return (
        f"first release in {event.stage}: there is no earlier one to roll back to" if first else ""
    )


def _job_lines(event: ReleaseEvent, style: Style) -> list[str]:
    links = [
        style.link(job.log, job.name) if job.log else style.text(job.name) for job in event.jobs
    ]
    return [f"job: {link}" for link in links]


def _origin(event: ReleaseEvent, style: Style) -> str:
    """Return who did it and where, on one line."""
    parts = []
    if event.origin.by:
        parts.append(f"by {style.text(event.origin.by)}")
    if event.origin.commit:
        short = event.origin.commit[:8]
        commit = style.link(event.link, short) if event.link else style.text(short)
        on = f" on {style.text(event.branch)}" if event.branch else ""
        title = f": {style.text(event.title)}" if event.title else ""
        parts.append(f"commit {commit}{on}{title}")
    if event.origin.pipeline:
        parts.append(style.link(event.origin.pipeline, "pipeline"))
    if event.project:
        parts.append(style.text(event.project))
    return " · ".join(parts)


def _subject_line(head: str) -> str:
    """Return ASCII without control characters, at most 100, as SNS requires."""
    plain = head.replace("→", "->").replace("–", "-")
    plain = unicodedata.normalize("NFKD", plain).encode("ascii", "replace").decode()
    return _cut(re.sub(r"[^ -~]+", " ", plain), MAX_SUBJECT, "...")


def _line(value: str) -> str:
    printable = "".join(c if c.isprintable() else " " for c in value)
    return _cut(" ".join(printable.split()), MAX_LINE)


def _fit_lines(lines: Sequence[str], limit: int) -> str:
    """Return the lines that fit into ``limit`` characters: half a line could hold half a link."""
    fitting: list[str] = []
    for line in lines:
        if sum(map(len, fitting)) + len(fitting) + len(line) + len("\n…") > limit:
            return "\n".join([*fitting, "…"]) if fitting else _cut(line, limit)
        fitting.append(line)
    return "\n".join(fitting)


def _cut(text: str, limit: int, end: str = "…") -> str:
    return text if len(text) <= limit else text[: limit - len(end)] + end
