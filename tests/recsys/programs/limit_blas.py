"""The limit on the threads of matrix products ends with its last holder, also in a fork.

Run by `test_service`; prints the number of threads at each step, in parent and child.
"""

import os
import threading

from threadpoolctl import threadpool_info, threadpool_limits

from recsys.threads import limit_threads, one_blas_thread


def threads():
    (number,) = {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}
    return number


def hold(entered, leave):
    with one_blas_thread():
        entered.set()
        leave.wait()


if __name__ == "__main__":
    with one_blas_thread():  # finds the libraries
        pass
    threadpool_limits(4, user_api="blas")
    events = [(threading.Event(), threading.Event()) for _ in range(2)]
    holders = [threading.Thread(target=hold, args=pair) for pair in events]
    numbers = [threads()]
    with limit_threads(3):
        numbers.append(threads())
        for holder, (entered, _) in zip(holders, events):
            holder.start()
            entered.wait()
        numbers.append(threads())
        child = os.fork()
        if child == 0:
            in_child = [threads()]
    if child == 0:
        in_child.append(threads())
        with one_blas_thread():
            in_child.append(threads())
        print("child", *in_child, flush=True)
        os._exit(0)
    os.waitpid(child, 0)
    for holder, (_, leave) in zip(holders, events):
        numbers.append(threads())
        leave.set()
        holder.join()
    with one_blas_thread(), limit_threads(3):  # the lowest counts, not the last
        numbers += [threads()]
    print("parent", *numbers, threads())
