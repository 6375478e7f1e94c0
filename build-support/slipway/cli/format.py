"""Write commits, pipelines and target models of releases for people."""

from __future__ import annotations

import re

from slipway.catalog.commit import is_clean

COMMIT_DIGITS = 7
ASTERISK, UNCOMMITTED = "*", "with uncommitted changes"
DIGEST_DIGITS = 8  # with the h before them; enough to distinguish staging's target models
STAGED = re.compile(rf"-rc\.(h[0-9a-f]{{{DIGEST_DIGITS - 1}}})[0-9a-f]*")


def commit(full: str | None) -> str:
    """Return a commit's first digits, with an asterisk if not all of the release is in it."""
    if full is None:
        return ""
    return full[:COMMIT_DIGITS] + ("" if is_clean(full) else ASTERISK)


def full_commit(full: str | None) -> str:
    """Return a commit's first digits, and in words whether not all of the release is in it."""
    if full is None:
        return "no commit is recorded"
    return f"commit {full[:COMMIT_DIGITS]}" + ("" if is_clean(full) else f" {UNCOMMITTED}")


def pipeline(address: str | None) -> str:
    """Return a pipeline's number from its address, such as ``#812``; empty without a pipeline."""
    return "" if not address else f"#{address.rstrip('/').rpartition('/')[2]}"


def release(name: str, text: str) -> str:
    """Return a target model of ``name``, or an alias as text, in short.

    What is left is the release version, and in staging the first digits of the digest.
    """
    return STAGED.sub(r" \1", text.replace(f"{name}_", "").replace(".tar.gz", ""))
