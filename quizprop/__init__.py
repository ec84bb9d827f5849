"""quizprop: backpropagation worked by hand, generated without end and graded step by step."""

__version__ = "0.1.0"
