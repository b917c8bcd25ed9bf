"""Load a model, then fork, as a server that preloads does: preload.py FOLDER.

Prints whether the child is a fork after use, the threads of its loops, and a list.
"""

import os
import sys

import numba

import recsys
from recsys.compiled import forked_after_use

if __name__ == "__main__":
    model = recsys.load(sys.argv[1])
    child = os.fork()
    if child == 0:
        items, _ = model.recommend(3, 3)
        print(forked_after_use(), numba.get_num_threads(), items.tolist(), flush=True)
        os._exit(0)
    sys.exit(os.waitpid(child, 0)[1])
