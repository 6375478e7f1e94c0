"""Source of a Triton backend, run by Triton's Python stub, never imported by the library."""
