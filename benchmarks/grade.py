"""What it costs to grade one sheet of the slowest family, as a ratio to one of mazur-like.

As on the website, the exercise with its numbers is made anew for each sheet. A sheet is honest work with a slip in it:
the first value that is computed from others is off. All are measured in this run, on one core.
"""

import time
from statistics import median

import numpy as np

from quizprop.exercise.bank import load_bank
from quizprop.exercise.figures import to_places
from quizprop.exercise.generate import draw
from quizprop.exercise.grade import grade
from quizprop.exercise.instance import Instance

ROUNDS = 15


def sheet_of(instance: Instance) -> dict[str, str]:
    """Honest work but for one slip in the middle."""
    texts = {cell.key: to_places(instance.values[cell.key], instance.exercise.places) for cell in instance.cells}
    slipped = list(texts)[len(texts) // 3]
    return {**texts, slipped: "0.777"}


def seconds(instance: Instance, texts: dict[str, str]) -> float:
    """One grading, with the exercise made anew."""
    began = time.process_time()
    grade(Instance(instance.exercise, instance.given), texts)
    return time.process_time() - began


def main() -> None:
    families = [exercise for exercise in load_bank().values() if exercise.question == "sheet"]
    drawn = {exercise.slug: draw(exercise, np.random.default_rng(1)) for exercise in families}
    work = {slug: (instance, sheet_of(instance)) for slug, instance in drawn.items()}
    # In turns, so that a busy machine slows all of them alike; the first rounds fill the caches.
    rounds = [{slug: seconds(*one) for slug, one in work.items()} for _ in range(ROUNDS)][3:]
    times = {slug: median(one[slug] for one in rounds) for slug in work}
    slowest = max(times, key=lambda slug: times[slug])
    for slug in ("mazur-like", slowest):
        print(f"grade {slug:<24} {len(drawn[slug].cells):>4} values   {times[slug] * 1e3:6.2f} ms")
    print(f"ratio, the slowest of {len(work)} families {times[slowest] / times['mazur-like']:>7.2f}")


if __name__ == "__main__":
    main()
