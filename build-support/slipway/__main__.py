"""``python -m slipway``."""

import sys

from slipway.cli import main
from slipway.cli.exit_codes import exit_at_sigterm

if __name__ == "__main__":
    exit_at_sigterm()
    sys.exit(main())
