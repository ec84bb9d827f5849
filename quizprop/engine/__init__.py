"""The mathematics: the graph of quantities of one training step, its formulas and the mistakes made on it."""
