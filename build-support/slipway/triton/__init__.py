"""Triton's formats: configurations, text protobufs, the KServe protocol, generated messages, comparison."""
