"""What ``--fix`` changes: edits, renames and completed configs."""
