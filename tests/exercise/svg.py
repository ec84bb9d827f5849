"""What tests of pictures have in common: networks to draw, and how a drawing is read."""

import math
import random
from itertools import combinations, product
from xml.etree import ElementTree as ET

from hypothesis import settings
from hypothesis import strategies as st

from quizprop.engine.network import BIASES, Network
from quizprop.exercise.notation import NOTATIONS

SVG = "{http://www.w3.org/2000/svg}"
SHAPES = [
    (2, 2, 2),
    (3, 2, 1),
    (1, 1, 1, 1),
    (2, 3, 2),
    (3, 3, 3),
    (2, 2, 2, 2),
    (4, 3, 3),
    (2, 1),
    (1, 8),
    (8, 2, 1),
    (4, 4),
]
NAMES = [name for name, _ in NOTATIONS]
MAZUR = Network(layers=(2, 2, 2), activations=("sigmoid",) * 2, bias="shared", update_biases=False)
MAZUR_GIVEN = {
    "x": [[0.05, 0.1]],
    "t": [[0.01, 0.99]],
    "W1": [[0.15, 0.2], [0.25, 0.3]],
    "b1": [0.35, 0.35],
    "W2": [[0.4, 0.45], [0.5, -0.55]],
    "b2": [0.6, 0.6],
    "eta": 0.5,
}
LAW = settings(max_examples=40)


def network_of(layers, **parts):
    return Network(layers=layers, activations=("sigmoid",) * (len(layers) - 1), **parts)


def numbers_for(network, places=2, seed=0):
    source = random.Random(seed)

    def filled(shape):
        if not shape:
            return round(source.uniform(-1, 1), places)
        return [filled(shape[1:]) for _ in range(shape[0])]

    numbers = {name: filled(shape) for name, shape in network.givens().items()}
    if network.bias == "shared":
        for layer, units in enumerate(network.layers[1:], start=1):
            numbers[f"b{layer}"] = numbers[f"b{layer}"][:1] * units
    return numbers


@st.composite
def subjects(draw):
    layers = tuple(draw(st.lists(st.integers(1, 4), min_size=2, max_size=4)))
    network = network_of(layers, bias=draw(st.sampled_from(BIASES)), examples=draw(st.sampled_from([1, 1, 3])))
    return network, numbers_for(network, places=draw(st.sampled_from([1, 2, 4, 17])), seed=draw(st.integers(0, 9)))


def parsed(svg):
    return ET.fromstring(svg)  # noqa: S314


def of_class(root, name, tag="*"):
    return [
        element for element in root.iter() if name in element.get("class", "").split() and tag in ("*", element.tag)
    ]


def text_of(element):
    return "".join(element.itertext())


def lengths(element, *names):
    return tuple(float(element.get(name)) for name in names)


def label_boxes(root):
    return {
        (group.get("data-edge") or group.get("data-cells")): lengths(box, "x", "y", "width", "height")
        for group in root.iter(f"{SVG}g")
        for box in group.findall(f"{SVG}rect")
    }


def circles(root):
    return [lengths(circle, "cx", "cy", "r") for circle in root.iter(f"{SVG}circle")]


def gap_between(one, other):
    """How far two rectangles are apart; not above 0 where they overlap."""
    (x, y, width, height), (x2, y2, width2, height2) = one, other
    return max(x - x2 - width2, x2 - x - width, y - y2 - height2, y2 - y - height)


def gap_to_circle(box, circle):
    (x, y, width, height), (cx, cy, radius) = box, circle
    return math.hypot(max(x - cx, 0, cx - x - width), max(y - cy, 0, cy - y - height)) - radius


def assert_nothing_is_covered(root):
    boxes = label_boxes(root)
    for (key, one), (other_key, other) in combinations(boxes.items(), 2):
        assert gap_between(one, other) > 0, (key, other_key)
    for (key, box), circle in product(boxes.items(), circles(root)):
        assert gap_to_circle(box, circle) > 0, (key, circle)


def assert_all_is_inside(root):
    left, top, width, height = map(float, root.get("viewBox").split())
    squares = [(x - r, y - r, 2 * r, 2 * r) for x, y, r in circles(root)]
    for x, y, w, h in [*label_boxes(root).values(), *squares]:
        assert left < x < x + w < left + width
        assert top < y < y + h < top + height
    for text in root.iter(f"{SVG}text"):
        x, y, size = lengths(text, "x", "y", "font-size")
        half = len(text_of(text)) * size * 0.25
        assert left < x - half < x + half < left + width
        assert top < y - size < y < top + height


def assert_is_named_and_described(root):
    """Every picture has a name and a description of its own, and nothing in it can run."""
    assert root.get("role") == "img"
    names = root.get("aria-labelledby").split()
    assert [element.get("id") for element in root.iter() if element.get("id")] == names
    assert root.find(f"{SVG}title").text
    assert root.find(f"{SVG}desc").text
    for element in root.iter():
        assert element.tag.removeprefix(SVG) in {
            *("svg", "title", "desc", "g", "line", "polyline", "polygon", "path", "circle", "rect", "text", "tspan"),
        }
        assert not [name for name in element.attrib if name == "style" or name.startswith("on") or "href" in name]
