"""All kinds of lessons by the name that an exercise file gives them."""

from quizprop.engine.lessons.attention import Attention
from quizprop.engine.lessons.circuit import Circuit
from quizprop.engine.lessons.composition import Composition
from quizprop.engine.lessons.convolution import Convolution
from quizprop.engine.lessons.descent import Descent
from quizprop.engine.lessons.dropout import Dropout
from quizprop.engine.lessons.embedding import Embedding
from quizprop.engine.lessons.gradient_check import GradientCheck
from quizprop.engine.lessons.inverse import Inverse
from quizprop.engine.lessons.normalisation import Normalisation
from quizprop.engine.lessons.recurrent import Recurrent
from quizprop.engine.lessons.residual import Residual
from quizprop.engine.lessons.shapes import Shapes
from quizprop.engine.lessons.tied import Tied
from quizprop.engine.model import Lesson

__all__ = ["LESSONS"]

LESSONS: dict[str, type[Lesson]] = {
    lesson.kind: lesson
    for lesson in (
        Attention,
        Circuit,
        Composition,
        Convolution,
        Descent,
        Dropout,
        Embedding,
        GradientCheck,
        Inverse,
        Normalisation,
        Recurrent,
        Residual,
        Shapes,
        Tied,
    )
}
