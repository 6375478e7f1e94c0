"""Bring an existing Triton repository into ``models/``, for ``slipway adopt``."""
