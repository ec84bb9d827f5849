"""Pictures of networks and of their computation, drawn from the graph itself, as SVG."""

from quizprop.exercise.diagram.chain import Chain, chain_to
from quizprop.exercise.diagram.network import network_svg

__all__ = ["Chain", "chain_to", "network_svg"]
