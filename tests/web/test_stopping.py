"""A server that is told to stop: who has asked gets the answer, nobody else is let in, and it ends."""

import signal
import sys
from contextlib import closing, contextmanager
from http.client import HTTPConnection

import pytest

from tests.web.conftest import serving

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="nobody sends signals there")

STORY = """
import os, signal, socket, sys

number = signal.Signals[sys.argv[1]]
signal.signal(number, signal.SIG_IGN if "ignored" in sys.argv else signal.SIG_DFL)


def listening():
    try:
        socket.create_connection((os.environ["AT"], int(os.environ["PORT"])), timeout=5).close()
    except OSError:
        return False
    return True


def app(environ, start_response):
    os.environ["AT"], os.environ["PORT"] = environ["SERVER_NAME"], environ["SERVER_PORT"]
    if environ["PATH_INFO"] == "/stop":
        os.kill(os.getpid(), number)
        while "ignored" not in sys.argv and listening():
            pass
    if environ["PATH_INFO"] == "/twice":
        handler = signal.getsignal(number)
        os.kill(os.getpid(), number)
        while signal.getsignal(number) == handler:
            pass
        os.kill(os.getpid(), number)
        socket.socketpair()[0].recv(1)  # it waits for ever
    start_response("200 OK", [("Content-Length", "4")])
    return [b"done"]
"""


@pytest.fixture
def server(request):
    with serving(STORY, *request.param) as started:
        yield started


@contextmanager
def connected(port):
    with closing(HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.connect()
        yield connection


def said(connection, path):
    connection.request("GET", path)
    with connection.getresponse() as answer:
        return answer.read()


@pytest.mark.parametrize("server", [["SIGTERM"], ["SIGHUP"], ["SIGINT"]], indirect=True)
def test_what_has_been_asked_is_answered_and_an_idle_visitor_holds_nothing_up(server):
    process, port = server
    with connected(port) as idle, connected(port), connected(port) as asking:
        assert said(idle, "/") == b"done"
        # This page is answered only once nobody new is let in.
        assert said(asking, "/stop") == b"done"
        assert process.wait(timeout=20) == 0


@pytest.mark.parametrize("server", [["SIGTERM"]], indirect=True)
def test_a_server_that_is_told_twice_ends_at_once(server):
    process, port = server
    with connected(port) as asking:
        asking.request("GET", "/twice")
        assert process.wait(timeout=20) == -signal.SIGTERM


@pytest.mark.parametrize("server", [["SIGHUP", "ignored"]], indirect=True)
def test_a_signal_that_is_ignored_stays_so(server):
    process, port = server
    with connected(port) as asking:
        assert said(asking, "/stop") == said(asking, "/") == b"done"
    assert process.poll() is None
