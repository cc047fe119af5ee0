"""``python -m delivery.local_model``: the command, for an installation without console scripts."""

import sys

from delivery.local_model.command import main

sys.exit(main())
