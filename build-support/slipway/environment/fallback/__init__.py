"""An interpreter from this machine, for when no conda channel answers."""
