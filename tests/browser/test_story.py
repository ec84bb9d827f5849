"""A new student, by the keyboard alone: three slips, a tab closed half way, a full score, and an account."""

import numpy as np
import pytest
from playwright.sync_api import expect

from quizprop.exercise.bank import load_bank
from quizprop.exercise.generate import draw

pytestmark = pytest.mark.browser

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def mazur():
    """What an honest reader with four decimals writes, by key."""
    instance = draw(load_bank()["mazur"], np.random.default_rng(0))
    return {cell.key: f"{instance.values[cell.key]:.4f}" for cell in instance.cells}


@pytest.fixture(scope="module")
def slips(mazur):
    """Three known slips, as they come out in the numbers, each with the words that name it."""
    return {
        "z1[1]": (f"{float(mazur['z1[1]']) - 0.35:.4f}", "bias"),
        "a1[2]": (mazur["z1[2]"], "net input"),
        "dE_da2[1]": (f"{-float(mazur['dE_da2[1]']):.4f}", "sign"),
    }


class Keyboard:
    """A hand on the keyboard, and none on the mouse."""

    def __init__(self, page):
        self.page = page

    def on(self, selector):
        return self.page.evaluate("selector => document.activeElement.matches(selector)", selector)

    def to(self, selector, most=160):
        """Press Tab until what is meant has the focus; the last chance is to go round once."""
        for _ in range(most):
            if self.on(selector):
                return self
            self.page.keyboard.press("Tab")
        pytest.fail(f"Tab does not lead to {selector} on {self.page.url}")

    def press(self, key="Enter"):
        self.page.keyboard.press(key)
        return self

    def write(self, text):
        self.page.keyboard.press("ControlOrMeta+a")
        self.page.keyboard.type(text)
        return self

    def fill(self, answers):
        for key, text in answers.items():
            self.to(f"[name='{key}']").write(text)


def said(page, key):
    field = page.locator(f'input[name="{key}"]')
    return page.locator(f"[id='{field.get_attribute('aria-describedby')}']")


def test_a_student_s_first_evening(chromium, site, mazur, slips):
    context = chromium.new_context(base_url=site, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(10_000)
    page = context.new_page()
    others = []
    page.on("request", lambda request: request.url.startswith(site) or others.append(request.url))
    page.goto("/")
    hand = Keyboard(page)
    hand.to("button[formaction='/exercises/mazur/start']").press()
    expect(page.get_by_role("heading", level=1)).to_have_text("Mazur's network")

    # Half of the sheet, with three slips; then the tab is closed in the middle of a number.
    keys = list(mazur)
    half = keys[: keys.index("dE_da2[2]")]
    typed = {key: slips[key][0] if key in slips else mazur[key] for key in half} | {"dE_da2[2]": "0.21"}
    hand.fill(typed)
    expect(page.locator("#save-state")).to_contain_text("Saved")
    address = page.url
    page.close()
    page = context.new_page()
    hand = Keyboard(page)
    page.goto(address)
    for key, text in typed.items():
        expect(page.locator(f'input[name="{key}"]')).to_have_value(text)

    # Checked: each slip is told by its name, beside its field.
    hand.to("[name='dE_da2[2]']").write(mazur["dE_da2[2]"])
    hand.to(".bar .button").press()
    expect(page.locator("#summary")).to_be_visible()
    for key, (_, word) in slips.items():
        expect(said(page, key)).to_contain_text(word)
    expect(page.locator("#summary-title a")).to_have_attribute("href", "#z1-1")

    # Mended and finished, by the pointer to the first slip and from field to field.
    hand.to("#summary-title a").press()
    expect(page.locator('input[name="z1[1]"]')).to_be_focused()
    for part in page.locator("details.phase:not([open]) > summary").all():
        part.focus()
        hand.press()
    page.locator('input[name="z1[1]"]').focus()
    hand.fill(mazur)
    hand.to(".bar .button").press()
    expect(page.get_by_role("heading", name="All of it, by hand")).to_be_visible()
    expect(page.locator(".score")).to_have_text(f"{len(mazur)} of {len(mazur)}")

    # Registered, it is all still there, slips too, and in another browser as well.
    page.goto("/progress")
    hand.to("a[href='/register']").press()
    page.wait_for_url("**/register")
    hand.to("[name=username]").write("sofia").to("[name=password]").write(PASSWORD).press()
    page.wait_for_url("**/progress")
    expect(page.get_by_role("main")).to_contain_text("Mazur's network")
    for title in ("bias left out", "activation skipped"):
        expect(page.locator("#slips-title + table")).to_contain_text(title)
    context.close()
    other = chromium.new_context(base_url=site).new_page()
    hand = Keyboard(other)
    other.goto("/sign-in")
    hand.to("[name=username]").write("sofia").to("[name=password]").write(PASSWORD).press()
    other.wait_for_url("**/progress")
    other.goto(address)
    expect(other.get_by_role("heading", name="All of it, by hand")).to_be_visible()
    other.context.close()
    assert others == []
