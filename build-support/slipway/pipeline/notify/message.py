"""News in words: for Slack and what understands its webhooks, and as plain text.

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

from slack_sdk.models.blocks import (
    Block,
    ContextBlock,
    HeaderBlock,
    MarkdownTextObject,
    PlainTextObject,
    SectionBlock,
)

from slipway.pipeline.notify.event import News, Subject

# characters: what is allowed, and of the text, what Slack advises
HEADER, SECTION, CONTEXT, TEXT, SUBJECT = 150, 3000, 2000, 4000, 100
LINE = 200  # of what people wrote
NAMED = 3  # models, in the head
MODELS = 10  # that are told of one by one: a message has 50 blocks at most
# a zero-width space: Mattermost and others read mentions in any text
DEFUSED = "@\u200b"
SIGNS = {"released": "🚀", "failed": "🔴", "rolled-back": "↩️"}
SAID = {
    "released": "Released to {stage}",
    "failed": "Failed on the way to {stage}",
    "rolled-back": "Rolled back in {stage}",
}


@dataclass(frozen=True)
class Message:
    """``body`` is what a webhook takes; ``subject`` and ``plain`` are for mail."""

    body: dict[str, Any]
    subject: str
    plain: str


class Style(Protocol):
    """How a kind of text says things; what it is given may hold anything."""

    def text(self, value: str) -> str: ...
    def code(self, value: str) -> str: ...
    def bold(self, value: str) -> str: ...
    def link(self, url: str, label: str) -> str: ...


class Mrkdwn:
    """Slack's."""

    def text(self, value: str) -> str:
        """Escaped as Slack says; on one line."""
        line = _line(value).replace("@", DEFUSED)
        return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

    def code(self, value: str) -> str:
        """In fixed width."""
        return f"`{self.text(value.replace('`', '’'))}`"

    def bold(self, value: str) -> str:
        """In bold."""
        return f"*{self.text(value)}*"

    def link(self, url: str, label: str) -> str:
        """``label``, which leads to ``url``; only the label, if that is no address of the web."""
        if not re.match(r"https?://", url):
            return self.text(label)
        safe = url.replace("|", "%7C").replace(">", "%3E").replace("<", "%3C").replace(" ", "%20")
        return f"<{safe.replace('&', '&amp;')}|{self.text(label).replace('|', '¦')}>"


class Plain:
    """Text of a mail."""

    def text(self, value: str) -> str:
        """On one line."""
        return _line(value)

    code = bold = text

    def link(self, url: str, label: str) -> str:
        """The label, and the address behind it."""
        return f"{self.text(label)} ({url})"


def message(news: News) -> Message:
    """What is sent of ``news``."""
    rich, plain = Mrkdwn(), Plain()
    head = f"{SIGNS[news.kind]} {_head(news)}"
    shown = news.subjects[:MODELS]
    more = [subject.name for subject in news.subjects[MODELS:]]
    rest = [f"and {len(more)} more:", *more] if more else []
    blocks: list[Block] = [HeaderBlock(text=PlainTextObject(text=_cut(head, HEADER)))]
    for subject in shown:
        text = _within(_subject(news, subject, rich), SECTION)
        if text:
            blocks.append(SectionBlock(text=MarkdownTextObject(text=text)))
    others = [*_jobs(news, rich), *map(rich.text, rest)]
    if others:
        text = _within(others, SECTION)
        blocks.append(SectionBlock(text=MarkdownTextObject(text=text)))
    origin = _origin(news, rich)
    if origin:
        blocks.append(ContextBlock(elements=[MarkdownTextObject(text=_cut(origin, CONTEXT))]))

    def whole(style: Style) -> list[str]:
        lines = [line for subject in shown for line in _subject(news, subject, style)]
        lines += [*_jobs(news, style), *map(style.text, rest), _origin(news, style)]
        return [style.text(head), *filter(None, lines)]

    body = {
        # alone, where blocks are not known (Mattermost)
        "text": _within(whole(rich), TEXT),
        "blocks": [block.to_dict() for block in blocks],
    }
    return Message(body, _subject_line(_head(news)), "\n".join(whole(plain)) + "\n")


def _head(news: News) -> str:
    said = SAID[news.kind].format(stage=news.stage)
    if not news.subjects:
        return said
    if len(news.subjects) > 1:
        names = [subject.name for subject in news.subjects]
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        return f"{said}: {', '.join(names[:NAMED])}{more}"
    return f"{said}: {news.subjects[0].name} {_move(news, news.subjects[0])}".rstrip()


def _move(news: News, subject: Subject) -> str:
    if news.kind == "failed":
        return subject.now or ""
    return " → ".join(filter(None, (subject.before, subject.now)))


def _subject(news: News, subject: Subject, style: Style) -> list[str]:
    """The lines of one model. A single one's name and versions stand in the head already."""
    beside = "; ".join(filter(None, (_beside(news, subject), subject.problem)))
    if len(news.subjects) == 1:
        lines = [style.text(beside)] if beside else []
    else:
        named = f"{style.bold(subject.name)} {style.text(_move(news, subject))}".rstrip()
        lines = [f"{named} ({style.text(beside)})" if beside else named]
    reason = subject.reason or news.reason
    if reason:
        lines.append(f"why: {style.text(reason)}")
    lines += [f"• {style.text(change)}" for change in subject.changes]
    if subject.more_changes:
        lines.append(f"• and {subject.more_changes} more")
    if subject.undo:
        lines.append(f"undo: {style.code(subject.undo)}")
    return lines


def _beside(news: News, subject: Subject) -> str:
    if news.kind == "failed":
        return f"{news.stage} goes on serving {subject.before}" if subject.before else ""
    first = news.kind == "released" and subject.now and not subject.before
    return f"its first release in {news.stage}: there is nothing to go back to" if first else ""


def _jobs(news: News, style: Style) -> list[str]:
    found = [
        style.link(job.log, job.name) if job.log else style.text(job.name) for job in news.jobs
    ]
    return [f"job: {job}" for job in found]


def _origin(news: News, style: Style) -> str:
    """Who and where, on one line."""
    parts = []
    if news.origin.by:
        parts.append(f"by {style.text(news.origin.by)}")
    if news.origin.commit:
        short = news.origin.commit[:8]
        commit = style.link(news.link, short) if news.link else style.text(short)
        on = f" on {style.text(news.branch)}" if news.branch else ""
        title = f": {style.text(news.title)}" if news.title else ""
        parts.append(f"commit {commit}{on}{title}")
    if news.origin.pipeline:
        parts.append(style.link(news.origin.pipeline, "pipeline"))
    if news.project:
        parts.append(style.text(news.project))
    return " · ".join(parts)


def _subject_line(head: str) -> str:
    """ASCII without control characters, 100 at most, as SNS wants it."""
    plain = head.replace("→", "->").replace("–", "-")
    plain = unicodedata.normalize("NFKD", plain).encode("ascii", "replace").decode()
    return _cut(re.sub(r"[^ -~]+", " ", plain), SUBJECT, "...")


def _line(value: str) -> str:
    printable = "".join(c if c.isprintable() else " " for c in value)
    return _cut(" ".join(printable.split()), LINE)


def _within(lines: Sequence[str], most: int) -> str:
    """As many whole lines as there is room for: a cut in a line could leave half a link."""
    kept: list[str] = []
    for line in lines:
        if sum(map(len, kept)) + len(kept) + len(line) + len("\n…") > most:
            return "\n".join([*kept, "…"]) if kept else _cut(line, most)
        kept.append(line)
    return "\n".join(kept)


def _cut(text: str, most: int, end: str = "…") -> str:
    return text if len(text) <= most else text[: most - len(end)] + end
