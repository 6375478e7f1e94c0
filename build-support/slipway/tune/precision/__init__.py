"""Lower weights, judge them, and find what they are calibrated on."""
