"""A server with many connections: looking at all of them leaves time for work."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from http.client import HTTPConnection

from quizprop.web import serve
from tests.web.conftest import serving

IDLE, ASKING, TIMES = 150, 30, 10

STORY = """
import time
from waitress.channel import HTTPChannel

looks = 0
readable = HTTPChannel.readable


def counted(channel):
    global looks
    looks += 1
    return readable(channel)


def app(environ, start_response):
    body = f"{looks} {time.monotonic()}".encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


HTTPChannel.readable = counted
"""


def ask(connection):
    """How often the server has looked at a connection, and its time."""
    connection.request("GET", "/")
    with connection.getresponse() as answer:
        looks, now = answer.read().split()
    return int(looks), float(now)


def test_each_connection_has_its_time_before_all_are_looked_at_again():
    with ExitStack() as stack:
        _, port = stack.enter_context(serving(STORY))
        connections = [
            stack.enter_context(closing(HTTPConnection("127.0.0.1", port, timeout=60))) for _ in range(IDLE + ASKING)
        ]
        first = [ask(connection) for connection in connections][-1]
        with ThreadPoolExecutor(ASKING) as pool:
            found = pool.map(lambda connection: [ask(connection) for _ in range(TIMES)], connections[:ASKING])
            last = max(answer for answers in found for answer in answers)
    looks, seconds = (after - before for before, after in zip(first, last, strict=True))
    # What was under way at the beginning and at the end is counted, and not its time.
    assert 0 < looks <= seconds / serve._LOOK + 2 * len(connections)
