"""Triton's formats: configs, text protobufs, the KServe protocol, messages, comparison."""
