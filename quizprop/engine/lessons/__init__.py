"""Lessons: computations beside the fully connected network, each a module with formulas, mistakes and words."""
