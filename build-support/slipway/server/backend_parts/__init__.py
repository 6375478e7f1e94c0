"""Parts that the Python-based backends share, run by Triton's Python stub."""

# Triton's stub imports it at the first request, which then waits 30 ms for it. While models are
# loaded, their processes share the cores: python_backend, src/pb_stub.cc
import asyncio  # noqa: F401
