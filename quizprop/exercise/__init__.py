"""Exercises: drawn, certified, asked, read, graded and explained. No framework is known here."""
