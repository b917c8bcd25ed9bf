"""Processes started in several ways give the bits of their parent, which uses parallel loops.

Run by `test_service`; prints for each way whether the bits are the same, and whether the loops run
on one thread because of a fork.
"""

import multiprocessing
import os

from shared import answers

from recsys.compiled import forked_after_use


def answer(_):
    return answers(), forked_after_use()


def pool(method, n_processes):
    with multiprocessing.get_context(method).Pool(n_processes) as workers:
        return workers.map(answer, range(n_processes), chunksize=1)


def report(way, found):
    same = all(answered == expected for answered, _ in found)
    print(f"{way}:", same, *{forked for _, forked in found}, flush=True)


if __name__ == "__main__":
    with multiprocessing.get_context("fork").Pool(1) as workers:
        workers.apply(int)  # it has started
        expected = answers()
        report("fork before use", workers.map(answer, [0]))
    report("fork after use", pool("fork", 2))
    report("spawn", pool("spawn", 1))
    child = os.fork()
    if child == 0:
        report("os.fork", [answer(0)])
        os._exit(0)
    os.waitpid(child, 0)
    report("parent", [answer(0)])
