"""An interpreter from this machine, used only where no conda channel can be reached."""
