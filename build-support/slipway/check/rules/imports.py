"""SW52x: what Python models import."""
