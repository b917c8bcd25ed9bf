"""Two threads use compiled loops at once; run by `test_service` under several threading layers."""

import sys
import threading

import numba
from shared import answers

if __name__ == "__main__":
    sys.setswitchinterval(1e-5)
    expected, found = answers(), []
    threads = [threading.Thread(target=lambda: found.append(answers())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(numba.threading_layer(), *(same == expected for same in found))
