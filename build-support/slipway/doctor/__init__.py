"""Diagnose this machine and this repository, for ``slipway doctor``."""
