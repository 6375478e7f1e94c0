"""What an endpoint was asked and answered, sampled, on disk or in S3."""
