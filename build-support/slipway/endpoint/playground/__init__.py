"""The page on which a release is tried: its releases, an answer, its reasons, the drift of the last hour."""
