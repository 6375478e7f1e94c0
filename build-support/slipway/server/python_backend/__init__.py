"""Files that are added to the wheel's Python backend; they run in the models' processes."""
