"""`python -m gateway` is `shieldwire`."""

import sys

from gateway.cli import main

sys.exit(main())
