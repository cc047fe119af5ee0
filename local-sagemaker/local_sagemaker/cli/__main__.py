"""``python -m local_sagemaker.cli``: the same as the command ``local-sagemaker``."""

import sys

from local_sagemaker.cli import main

sys.exit(main())
