"""How the benchmarks measure."""

import time
from collections.abc import Callable


def seconds(work: Callable[[], object], rounds: int) -> float:
    """The best of some rounds, in processor time."""
    times = []
    for _ in range(rounds):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return min(times)
