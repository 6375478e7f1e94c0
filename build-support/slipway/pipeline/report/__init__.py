"""The merge request's report."""
