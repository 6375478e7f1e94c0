"""The pipeline's steps besides releasing: affected models, smoke tests, reports, notifications."""
