"""Pictures of networks and of their computation, drawn from the graph itself, as SVG."""

from quizprop.exercise.diagram.chain import Chain, chain_to
from quizprop.exercise.diagram.flow import FlowStep, flow_steps
from quizprop.exercise.diagram.graph import graph_svg
from quizprop.exercise.diagram.network import NetworkPicture, network_picture, network_svg

__all__ = [
    "Chain",
    "FlowStep",
    "NetworkPicture",
    "chain_to",
    "flow_steps",
    "graph_svg",
    "network_picture",
    "network_svg",
]
