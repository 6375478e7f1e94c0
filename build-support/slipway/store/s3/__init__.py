"""A release store in S3."""
