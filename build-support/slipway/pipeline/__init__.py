"""What the pipeline does beside releasing: which models are affected, smoke tests, reports, notifications."""
