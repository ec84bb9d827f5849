"""How fast certified exercises are made, as a ratio to writing their JSON alone.

Nothing can be faster than dumping records that are ready: that is 1. Both are measured in this run, on one core.
"""

import itertools
import os
import resource
import sys
import time

import orjson
from clock import seconds

from quizprop.cli import bulk
from quizprop.exercise.bank import load_bank
from quizprop.exercise.bulk import chunks
from quizprop.exercise.record import record_blocks

CHUNKS = 4
MANY = 1_000_000
"""For two jobs beside one: the start of their processes is to matter little."""

READY = 4000
ROUNDS = 8


def peak_mebibytes() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def elapsed(jobs: int) -> float:
    """Seconds on the wall for so many instances, the start of the processes counted; no disk is waited for."""
    began = time.perf_counter()
    bulk.generate(
        "mazur-like",
        count=MANY,
        seed=1,
        output=os.devnull,
        jobs=jobs,
        shard=(1, 1),
        resume=False,
        long=False,
        scheduler=None,
    )
    return time.perf_counter() - began


def main() -> None:
    exercise = load_bank()["mazur-like"]

    def generate() -> int:
        count = 0
        for chunk in itertools.islice(chunks(exercise, seed=1, form="jsonl"), CHUNKS):
            for _ in chunk.lines.numbered(count):
                pass
            count += chunk.count
        return count

    count = generate()
    peak = peak_mebibytes()
    ready = [orjson.loads(line) for lines in record_blocks(exercise, seed=1, count=READY) for line in lines]

    def dump() -> None:
        for _ in range(count // READY):
            for record in ready:
                orjson.dumps(record)

    # In turns, and for as long: what else goes on in the machine slows both down.
    times = [[seconds(generate, 1) / count, seconds(dump, 1) / (count // READY * READY)] for _ in range(ROUNDS)]
    generating, dumping = map(min, zip(*times, strict=True))
    print(
        f"generate mazur-like   {1 / generating:>9,.0f} instances a second   {generating * 1e6:6.1f} microseconds each"
    )
    print(f"dump ready records    {1 / dumping:>9,.0f} instances a second   {dumping * 1e6:6.1f} microseconds each")
    print(f"ratio                 {dumping / generating:>9.2f}")
    times = [[elapsed(jobs) for jobs in (1, 2)] for _ in range(ROUNDS)]
    one, two = map(min, zip(*times, strict=True))
    print(
        f"one job               {MANY / one:>9,.0f} instances a second   {one / MANY * 1e6:6.1f} microseconds each,"
        " by the clock on the wall"
    )
    print(f"two jobs beside it    {one / two:>9.2f} times as fast")
    print(f"peak memory           {peak:>9,.0f} MiB for {count:,} instances")


if __name__ == "__main__":
    main()
