"""Makes ``python -m zounds_lite.cli`` the command ``zounds-lite``."""

import sys

from zounds_lite.cli.program import main

if __name__ == "__main__":
    sys.exit(main())
