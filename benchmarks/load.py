"""Students at a server, in a process of their own: each reads a form as a browser does, fills it in, sends it.

The plan is JSON on standard input, what came of it JSON on standard output. See `benchmarks/web.py`.
"""

import gzip
import html
import http.client
import json
import re
import sys
import threading
import time
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlencode, urljoin

FORM = re.compile(r"<form\b([^>]*)>(.*?)</form>", re.DOTALL)
BUTTON = re.compile(r"<button\b([^>]*)>")
INPUT = re.compile(r"<input\b([^>]*)>")
ATTRIBUTE = re.compile(r'([\w-]+)(?:="([^"]*)")?')
PATIENCE = 120


@dataclass
class Tally:
    """What came of it; ``sent`` and ``told`` name a submission by its sheet and the one text that no other has."""

    sent: list[tuple[str, str]] = field(default_factory=list)
    told: list[tuple[str, str]] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    seconds: float = 0.0


class RefusedError(Exception):
    """An answer that is no page."""


def attributes(tag: str) -> dict[str, str]:
    return {name: html.unescape(value) for name, value in ATTRIBUTE.findall(tag)}


class Browser:
    """One connection, which stays open, and its cookies."""

    def __init__(self, port: int) -> None:
        self.line = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self.cookies: dict[str, str] = {}
        self.address, self.text = "", ""

    def ask(self, method: str, address: str, body: str | None = None) -> None:
        """Go there, and on to where it leads."""
        head = {"Accept-Encoding": "gzip", "Cookie": "; ".join(f"{name}={one}" for name, one in self.cookies.items())}
        if body is not None:
            head["Content-Type"] = "application/x-www-form-urlencoded"
        self.line.request(method, address, body, head)
        answer = self.line.getresponse()
        content = answer.read()
        for set_cookie in answer.headers.get_all("Set-Cookie", []):
            name, _, value = set_cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        if answer.status == 303:
            self.ask("GET", urljoin(address, answer.headers["Location"]).partition("#")[0])
            return
        if answer.status != 200:
            raise RefusedError(f"{method} {address}: {answer.status}")
        packed = answer.headers.get("Content-Encoding") == "gzip"
        self.address, self.text = address, (gzip.decompress(content) if packed else content).decode()

    def form(self, wanted: str) -> dict[str, str]:
        """What stands in the fields of the first form that goes to this address, or has a button that does."""
        for tag, content in FORM.findall(self.text):
            buttons = {attributes(one).get("formaction") for one in BUTTON.findall(content)}
            if wanted in {attributes(tag).get("action", self.address), *buttons}:
                found = [attributes(one) for one in INPUT.findall(content)]
                fields = [one for one in found if one.get("type") != "checkbox" or "checked" in one]
                return {one["name"]: one.get("value", "") for one in fields if "name" in one}
        raise RefusedError(f"{self.address}: no form for {wanted}")

    def send(self, address: str, typed: dict[str, str] | None = None) -> None:
        """Fill a form in and send it."""
        self.ask("POST", address, urlencode({**self.form(address), **(typed or {})}))


class Student:
    """Signs in or is a guest, opens each exercise, checks it so many times."""

    def __init__(self, number: int, plan: dict[str, Any], tally: Tally, start: threading.Barrier) -> None:
        self.number, self.plan, self.tally, self.start = number, plan, tally, start
        self.browser = Browser(plan["port"])
        self.serial = number * 100

    def run(self) -> None:
        """All of it. What goes wrong is written down, and this student stops."""
        try:
            work = {"class": self.in_class, "together": self.together, "bare": self.bare}[self.plan["kind"]]
            work()
        except (OSError, http.client.HTTPException, RefusedError, threading.BrokenBarrierError) as error:
            self.tally.errors.append(f"student {self.number}: {error!r}")
            self.start.abort()
        finally:
            self.browser.line.close()

    def in_class(self) -> None:
        """Every second one has an account and a problem set, the others take the same exercises as guests."""
        self.start.wait(PATIENCE)
        accounts, exercises = self.plan["accounts"], self.plan["exercises"]
        if self.number >= len(accounts):
            for slug in exercises:
                self.take(slug)
                self.check(slug)
            return
        self.browser.ask("GET", "/sign-in")
        self.browser.send("/sign-in", {"username": accounts[self.number], "password": self.plan["password"]})
        for position, slug in enumerate(exercises, 1):
            self.browser.ask("GET", f"/sets/{self.plan['set']}")
            self.browser.send(f"/sets/{self.plan['set']}/{position}")
            self.check(slug)

    def together(self) -> None:
        """All open a sheet first, and then check it, again and again, all at once."""
        (slug,) = self.plan["exercises"]
        self.take(slug)
        self.start.wait(PATIENCE)
        for _ in range(self.plan["tries"]):
            self.check(slug)

    def bare(self) -> None:
        """The same texts to a server that only stores them."""
        (slug,) = self.plan["exercises"]
        self.start.wait(PATIENCE)
        for _ in range(self.plan["tries"]):
            began = time.perf_counter()
            self.browser.ask("POST", "/", urlencode(self.plan["answers"][slug]))
            self.tally.latencies.append(time.perf_counter() - began)

    def take(self, slug: str) -> None:
        """A new sheet from the problem bank."""
        self.browser.ask("GET", self.plan["shelves"][slug])
        self.browser.send(f"/exercises/{slug}/start")

    def check(self, slug: str) -> None:
        """Fill in and send the sheet that is open, with one slip that no other submission has."""
        self.serial += 1
        answers = self.plan["answers"][slug]
        sheet, text = self.browser.address.split("/")[2], f"0.{self.serial:07}"
        typed = {**answers, list(answers)[len(answers) // 3]: text}
        self.tally.sent.append((sheet, text))
        began = time.perf_counter()
        self.browser.send(f"/x/{sheet}", typed)
        self.tally.latencies.append(time.perf_counter() - began)
        if not re.match(rf"/x/{sheet}/s/\d+", self.browser.address) or f'value="{text}"' not in self.browser.text:
            raise RefusedError(f"{self.browser.address} does not show what was typed")
        self.tally.told.append((sheet, text))


def run(plan: dict[str, Any]) -> Tally:
    """All students of a plan at once, a thread each; seconds are counted once all are ready."""
    tally = Tally()
    began: list[float] = []
    start = threading.Barrier(plan["students"], lambda: began.append(time.perf_counter()))
    threads = [
        threading.Thread(target=Student(number, plan, tally, start).run, daemon=True)
        for number in range(plan["students"])
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tally.seconds = time.perf_counter() - began[0] if began else 0.0
    return tally


if __name__ == "__main__":
    json.dump(asdict(run(json.load(sys.stdin))), sys.stdout)
