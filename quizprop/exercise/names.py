"""The notations by name. Nothing else is here, so that the command line knows them before it loads anything."""

from typing import Final, Literal

__all__ = ["NOTATIONS", "NotationName"]

NotationName = Literal["mazur", "course", "matrix", "plain"]

NOTATIONS: Final[tuple[tuple[NotationName, str], ...]] = (
    ("mazur", "Mazur: net_h1, out_h1, w5, ∂E_total/∂w5"),
    ("course", "Course: z^[1]_1, a^[1]_1, dW^[2]_1,2"),
    ("matrix", "Matrix: Z^[1]_2,3 is unit 2 in example 3; Z^[1] = W^[1] A^[0] + b^[1]"),
    ("plain", "Plain: z1[1], a1[1], grad_W2[1,2]"),
)
