"""python -m newsreco"""

import sys

from newsreco.cli import main

sys.exit(main())
