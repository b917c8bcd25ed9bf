"""Settings that must stand before numba is imported."""

import os

# The tests compare 1, 2 and 4 threads, also on a machine with fewer cores.
os.environ.setdefault("NUMBA_NUM_THREADS", "4")
