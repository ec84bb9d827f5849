"""All kinds of lessons by the name that an exercise file gives them."""

from quizprop.engine.lessons.composition import Composition
from quizprop.engine.lessons.convolution import Convolution
from quizprop.engine.lessons.descent import Descent
from quizprop.engine.lessons.gradient_check import GradientCheck
from quizprop.engine.lessons.inverse import Inverse
from quizprop.engine.lessons.recurrent import Recurrent
from quizprop.engine.lessons.residual import Residual
from quizprop.engine.lessons.shapes import Shapes
from quizprop.engine.model import Lesson

__all__ = ["LESSONS"]

LESSONS: dict[str, type[Lesson]] = {
    lesson.kind: lesson
    for lesson in (Composition, Descent, GradientCheck, Inverse, Shapes, Residual, Recurrent, Convolution)
}
