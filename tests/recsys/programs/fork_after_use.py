"""Forked processes give the bits of their parent, which used parallel loops before.

Run by `test_service`; prints the ways of forking that did.
"""

import multiprocessing
import os
import sys

from shared import answers

if __name__ == "__main__":
    expected = answers()
    child = os.fork()
    if child == 0:
        os._exit(answers() != expected)
    if os.waitpid(child, 0)[1] == 0:
        print("os.fork")
    with multiprocessing.get_context("fork").Pool(2) as pool:
        if pool.map(answers, [0, 0, 0]) == [expected] * 3:
            print("Pool")
    if answers() == expected:
        print("parent")
    sys.stdout.flush()
