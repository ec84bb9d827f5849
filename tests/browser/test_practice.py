"""A newcomer works Mazur's network in a real browser."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from quizprop.exercise.bank import load_bank
from quizprop.exercise.generate import draw
from tests.web.test_worksheets import in_print

pytestmark = pytest.mark.browser


# What can be scrolled sideways and neither takes the focus nor holds anything that does.
OUT_OF_REACH = """() => [...document.querySelectorAll("body *")]
    .filter((element) => ["auto", "scroll"].includes(getComputedStyle(element).overflowX))
    .filter((element) => element.scrollWidth > element.clientWidth + 1)
    .filter((element) => !element.matches("[tabindex='0']"))
    .filter((element) => !element.querySelector("a[href], button, input, summary, [tabindex='0']"))
    .map((element) => element.className || element.localName)"""


@pytest.fixture(scope="module")
def mazur():
    """What an honest reader with four decimals writes, by key."""
    instance = draw(load_bank()["mazur"], np.random.default_rng(0))
    return {cell.key: f"{instance.values[cell.key]:.4f}" for cell in instance.cells}


def start(page, title):
    card = page.get_by_role("article").filter(has=page.get_by_role("heading", name=title, exact=True))
    card.get_by_role("button", name="Start").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    page.wait_for_load_state()  # the heading is there before the scripts are


def field(page, key):
    return page.locator(f'input[name="{key}"]')


def fill(page, answers):
    for key, text in answers.items():
        field(page, key).fill(text)


def check(page):
    page.locator(".bar").get_by_role("button", name=re.compile("^Check")).click()


def paste(page, key, text):
    """Paste into a field; whether the browser is left to do it."""
    return field(page, key).evaluate(
        """(field, text) => {
            const data = new DataTransfer();
            data.setData("text/plain", text);
            const paste = new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true});
            return field.dispatchEvent(paste);
        }""",
        text,
    )


def said(page, key):
    """What stands beside a field, found the way a screen reader does."""
    return page.locator(f"[id='{field(page, key).get_attribute('aria-describedby')}']")


def test_a_newcomer_works_mazurs_network_to_a_full_score(page, mazur):
    start(page, "Mazur's network")
    assert page.locator("input[data-key]").count() == len(mazur)
    fill(page, mazur)
    check(page)
    expect(page.get_by_role("heading", name="All of it, by hand")).to_be_visible()
    expect(page.locator(".score")).to_have_text(f"{len(mazur)} of {len(mazur)}")
    # The worked solution is there, and the progress page remembers.
    expect(page.get_by_role("heading", name="Worked solution")).to_be_visible()
    page.goto("/progress")
    expect(page.get_by_role("main")).to_contain_text("Mazur's network")


def tab_to(page, selector):
    """Press Tab until what is meant has the focus."""
    for _ in range(30):
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"Tab does not lead to {selector}")


def test_the_keyboard_alone_is_enough(page, mazur):
    start(page, "Mazur's network")
    field(page, "z1[1]").focus()
    for key, text in mazur.items():
        tab_to(page, f"[name='{key}']")
        page.keyboard.type(text)
    tab_to(page, ".bar .button")
    page.keyboard.press("Enter")
    expect(page.locator(".score")).to_have_text(f"{len(mazur)} of {len(mazur)}")


def test_hidden_deltas_through_updated_weights_are_told_so(page, mazur):
    start(page, "Mazur's network")
    slip = {"dE_da1[1]": "0.0302", "dE_da1[2]": "0.0352", "delta1[1]": "0.0073", "delta1[2]": "0.0085"}
    slip |= {"grad_W1[1,2]": "0.0007", "W1_new[1,2]": "0.1996"}
    fill(page, {**mazur, **slip})
    check(page)
    expect(said(page, "dE_da1[1]")).to_contain_text("updated weights")
    expect(said(page, "delta2[1]")).to_contain_text("Correct")
    expect(said(page, "delta1[1]")).to_contain_text("Follows")
    expect(field(page, "dE_da1[1]")).to_have_attribute("aria-invalid", "true")
    # The first error is pointed at, and what was typed is there to be mended; Safari underlines a formula in pieces.
    expect(page.locator("#summary-title a")).to_have_css("text-decoration-line", "none")
    page.locator("#summary-title a").click()
    expect(field(page, "dE_da1[1]")).to_be_focused()
    # A part that is all right is folded.
    page.locator("details.phase:not([open]) > summary").first.click()
    fill(page, {key: mazur[key] for key in slip if key != "W1_new[1,2]"})
    check(page)
    expect(page.locator(".score")).to_have_text(f"{len(mazur)} of {len(mazur)}")


def test_every_verdict_has_its_word(page, mazur):
    start(page, "Mazur's network")
    answers = {**mazur, "z1[1]": "0.0275", "a1[1]": "0.5069", "z2[1]": "0.9", "a2[2]": "", "e[1]": "0.27 or so"}
    fill(page, answers)
    check(page)
    words = {
        "z1[2]": "Correct",
        "a1[1]": "Follows",
        "z1[1]": "slip",
        "z2[1]": "Not right",
        "e[1]": "read",
    }
    for key, word in words.items():
        expect(said(page, key)).to_contain_text(re.compile(word, re.IGNORECASE))
    expect(field(page, "e[1]")).to_have_value("0.27 or so")
    # Of a blank there is nothing to say but that there is one.
    assert field(page, "a2[2]").get_attribute("aria-describedby") is None
    expect(page.locator(".counts")).to_contain_text("1 blank")


def test_a_fresh_network_comes_with_new_numbers_each_time(page):
    numbers = set()
    for _ in range(2):
        page.goto("/")
        card = page.get_by_role("article").filter(has_text="Like Mazur's, with new numbers")
        card.get_by_role("button").last.click()
        numbers.add(page.locator(".numbers").inner_text())
    assert len(numbers) == 2


def test_work_is_kept_when_the_form_has_expired(page, complaints):
    start(page, "Mazur's network")
    fill(page, {"z1[1]": "0.3775", "a1[1]": "half done"})
    page.locator('#answers input[name="csrf_token"]').evaluate("field => field.value = 'stale'")
    check(page)
    expect(page.get_by_role("alert")).to_contain_text("still here")
    expect(field(page, "a1[1]")).to_have_value("half done")
    check(page)
    expect(said(page, "z1[1]")).to_contain_text("Correct")
    # The browser reports what was refused: the form, and perhaps a save before it.
    assert set(complaints) == {"Failed to load resource: the server responded with a status of 400 (BAD REQUEST)"}
    complaints.clear()


def fill_and_save(page, answers):
    fill(page, answers)
    expect(page.locator("#save-state")).to_contain_text("Saved")


def stop_checks(page):
    """From now on no check of this page is sent, as where somebody stops it."""
    page.evaluate("document.getElementById('answers').addEventListener('submit', (event) => event.preventDefault())")


def held_back(page, what):
    """Keeps back what the page asks for; what is returned waits for the first of it."""
    waiting = []
    page.route(what, lambda route: waiting.append(route))  # noqa: PLW0108 - Playwright marks it

    def first():
        for _ in range(500):
            if waiting:
                return waiting.pop()
            page.wait_for_timeout(20)
        raise AssertionError(f"nobody asked for {what}")

    return first


def scripts_come_late(page):
    """Opens the page anew, as on a slow line: without its scripts, until what is returned is called."""
    script = held_back(page, "**/sheet.js*")
    page.reload(wait_until="commit")

    def come():
        script().continue_()
        page.unroute("**/sheet.js*")
        page.wait_for_load_state()

    return come


def test_what_is_typed_before_the_script_is_there_is_saved(page):
    start(page, "Mazur's network")
    come = scripts_come_late(page)
    fill(page, {"z1[1]": "0.3775", "a1[1]": "half"})
    come()
    expect(page.locator("#save-state")).to_contain_text("Saved")
    page.reload()
    expect(field(page, "z1[1]")).to_have_value("0.3775")
    expect(field(page, "a1[1]")).to_have_value("half")


def test_what_this_browser_kept_spares_what_is_typed_since(page):
    start(page, "Mazur's network")
    page.route("**/draft", lambda route: route.abort())
    fill(page, {"z1[1]": "old", "a1[1]": "kept"})
    come = scripts_come_late(page)
    fill(page, {"z1[1]": "new"})
    come()
    expect(field(page, "a1[1]")).to_have_value("kept")
    expect(field(page, "z1[1]")).to_have_value("new")


def test_what_a_hint_was_asked_with_is_saved(page):
    start(page, "Mazur's network")
    fill(page, {"z1[1]": "0.3775"})
    page.evaluate("() => localStorage.clear()")
    field(page, "z1[2]").press("?")
    expect(field(page, "z1[1]")).to_have_value("0.3775")
    expect(page.locator("#save-state")).to_contain_text("Saved")
    page.reload()
    expect(field(page, "z1[1]")).to_have_value("0.3775")


def ask_for_a_hint(page):
    with page.expect_navigation():
        field(page, "z1[1]").press("?")


def change_the_symbols(page):
    with page.expect_navigation():
        page.get_by_role("button", name="Course").click()


@pytest.mark.parametrize("ask", [ask_for_a_hint, change_the_symbols])
def test_what_is_typed_after_a_form_was_answered_is_there_on_reload_and_on_back(page, ask):
    start(page, "Mazur's network")
    fill(page, {"z1[1]": "1"})
    ask(page)
    fill_and_save(page, {"z1[2]": "2"})
    page.reload()
    assert [field(page, key).input_value() for key in ("z1[1]", "z1[2]")] == ["1", "2"]
    assert page.locator("[id^=hint-z1]").count() == (ask is ask_for_a_hint)
    ask(page)
    fill_and_save(page, {"a1[1]": "3"})
    page.get_by_role("link", name="Progress").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your progress")
    page.go_back()
    expect(field(page, "a1[1]")).to_have_value("3")
    fill_and_save(page, {"a1[2]": "4"})


def test_an_answer_that_a_reload_brings_again_gives_way_to_what_was_saved_since(page):
    """Safari sends a form again on reload though its page has got another address; here Chromium is made to."""
    start(page, "Mazur's network")
    fill(page, {"z1[1]": "1"})
    with page.expect_response(lambda response: response.request.method == "POST" and "/x/" in response.url) as sent:
        ask_for_a_hint(page)
    again = sent.value.text()
    fill_and_save(page, {"z1[2]": "2"})
    page.route("**/x/*", lambda route: route.fulfill(body=again, content_type="text/html"), times=1)
    state = page.evaluate("JSON.stringify(window.history.state)")
    page.add_init_script(f"window.history.replaceState({state}, '')")  # a reload keeps it there, as it has to
    page.evaluate("() => window.location.reload()")
    expect(field(page, "z1[2]")).to_have_value("2")
    expect(page.locator("[id^=hint-z1]")).to_be_visible()
    fill_and_save(page, {"z1[2]": "3"})


def test_newer_text_of_another_tab_is_shown_though_a_hint_was_asked_for_here(page, complaints):
    start(page, "Mazur's network")
    other = page.context.new_page()
    other.goto(page.url)
    fill_and_save(other, {"z1[2]": "newer"})
    other.close()
    fill(page, {"z1[2]": "here"})
    ask_for_a_hint(page)
    page.locator("#save-state").get_by_role("button", name="Show it").click()
    expect(field(page, "z1[2]")).to_have_value("newer")
    expect(page.locator("#save-offer")).to_contain_text("kept other text")
    complaints.clear()  # the browser reports each save that was refused


def kind(page):
    return page.locator("#save-state").get_attribute("data-kind")


def test_a_save_that_is_on_its_way_while_the_page_is_renewed_is_built_on(page):
    start(page, "Mazur's network")
    fill(page, {"z1[1]": "1"})
    page.reload()
    expect(field(page, "z1[1]")).to_have_value("1")
    fill_and_save(page, {"z1[2]": "2"})
    page.wait_for_timeout(1500)
    assert kind(page) == "saved"
    page.reload()
    assert [field(page, key).input_value() for key in ("z1[1]", "z1[2]")] == ["1", "2"]


def test_a_save_whose_answer_gets_lost_is_built_on(page, complaints):
    start(page, "Mazur's network")
    lost = []

    def lose(route):
        lost.append(route.fetch())
        route.abort()

    page.route("**/draft", lose, times=1)
    fill(page, {"z1[1]": "1"})
    expect(page.locator("#save-state")).to_contain_text("No connection")
    fill_and_save(page, {"z1[2]": "2"})
    assert [one.status for one in lost] == [200]
    complaints.clear()


def test_a_save_that_a_check_overtakes_is_called_back(page):
    start(page, "Mazur's network")
    called_back, save = [], held_back(page, "**/draft")
    page.on("requestfailed", lambda request: called_back.append(request.url.rpartition("/")[2]))
    fill(page, {"z1[1]": "1"})
    save()
    stop_checks(page)
    check(page)
    page.wait_for_timeout(100)
    assert called_back == ["draft"]
    page.unroute("**/draft")
    fill_and_save(page, {"z1[2]": "2"})


def test_back_shows_what_was_saved_and_not_the_page_as_it_came(page):
    start(page, "Mazur's network")
    fill_and_save(page, {"z1[1]": "1"})
    page.get_by_role("link", name="Progress").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your progress")
    page.go_back()
    expect(field(page, "z1[1]")).to_have_value("1")
    fill_and_save(page, {"z1[2]": "2"})


# Safari resets what has no autocomplete when Back brings its page from memory.
FROM_MEMORY = """(form) => {
    window.dispatchEvent(new PageTransitionEvent("pagehide", {persisted: true}));
    form.reset();
    window.dispatchEvent(new PageTransitionEvent("pageshow", {persisted: true}));
}"""


def test_what_safari_empties_on_back_is_put_back_and_never_saved(page):
    start(page, "Mazur's network")
    fill_and_save(page, {"z1[1]": "1"})
    saves = []
    page.on("request", lambda request: request.method == "POST" and saves.append(request.post_data))
    with page.expect_navigation():
        page.locator("#answers").evaluate(FROM_MEMORY)
    expect(field(page, "z1[1]")).to_have_value("1")
    assert saves == []
    # Where there is no connection to read the page anew, too.
    fill_and_save(page, {"z1[2]": "2"})
    page.get_by_label("Decimal comma").check()
    page.context.set_offline(True)
    page.locator("#answers").evaluate(FROM_MEMORY)
    expect(field(page, "z1[2]")).to_have_value("2")
    expect(page.get_by_label("Decimal comma")).to_be_checked()
    page.context.set_offline(False)


def test_a_check_that_is_stopped_does_not_stop_the_saving(page):
    start(page, "Mazur's network")
    stop_checks(page)
    fill(page, {"z1[1]": "1"})
    check(page)
    fill_and_save(page, {"z1[2]": "2"})


def test_text_that_this_browser_kept_is_offered_until_somebody_decides(page):
    start(page, "Mazur's network")
    fill_and_save(page, {"z1[1]": "1"})
    page.evaluate(
        """() => {
            const sheet = document.getElementById("answers").dataset.sheet;
            const older = {seq: 0, texts: {"z1[1]": "9"}, decimalComma: false, at: Date.now() - 10 * 24 * 3600 * 1000};
            localStorage.setItem(`quizprop ${sheet} other`, JSON.stringify(older));
            localStorage.setItem(`quizprop ${sheet} broken`, "{");
            localStorage.setItem("quizprop another old", JSON.stringify({...older, at: 0}));
        }"""
    )
    page.reload()
    offer = page.locator("#save-offer")
    expect(offer).to_contain_text("kept other text")
    expect(offer).to_contain_text(re.compile(r"\d{4}"))  # not of today: with its date
    fill_and_save(page, {"z1[2]": "2"})
    names = page.evaluate("() => Object.keys(localStorage).map((name) => name.split(' ').at(-1))")
    assert ("other" in names, "broken" in names, "old" in names) == (True, False, False)
    offer.get_by_role("button", name="Use it").click()
    expect(field(page, "z1[1]")).to_have_value("9")
    expect(offer).to_be_hidden()


def test_who_is_told_that_nothing_is_kept_is_asked_before_leaving(page, complaints):
    start(page, "Mazur's network")
    page.route("**/draft", lambda route: route.abort())
    page.evaluate("() => { Storage.prototype.setItem = () => { throw new Error('full'); }; }")
    fill(page, {"z1[1]": "1"})
    expect(page.locator("#save-state")).to_contain_text("keeps nothing")
    asked = []
    page.once("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.get_by_role("link", name="Progress").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your progress")
    assert asked == ["beforeunload"]
    complaints.clear()


def test_practice_is_kept_on_registration(page, mazur):
    start(page, "Mazur's network")
    fill(page, {"z1[1]": "0.3775"})
    check(page)
    page.goto("/register")
    page.get_by_label("User name").fill("ada")
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("main").get_by_role("button").click()
    page.goto("/progress")
    expect(page.get_by_role("main")).to_contain_text("Mazur's network")


def test_what_is_chosen_in_a_list_stays_when_back_brings_the_page_from_memory(page):
    page.goto("/register")
    page.get_by_label("User name").fill("list-maker")
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("main").get_by_role("button").click()
    page.goto("/settings")
    come_back = """() => {
        window.dispatchEvent(new PageTransitionEvent("pagehide", {persisted: true}));
        window.dispatchEvent(new PageTransitionEvent("pageshow", {persisted: true}));
    }"""
    zone = page.locator("#time_zone")
    zone.select_option("Europe/Madrid")
    page.evaluate(come_back)
    page.wait_for_timeout(500)
    expect(zone).to_have_value("Europe/Madrid")
    page.locator("form:has(#time_zone)").evaluate(FROM_MEMORY)
    expect(zone).to_have_value("Europe/Madrid")
    # Where nothing is chosen, the page is renewed: somebody may have signed out meanwhile.
    zone.select_option(index=0)
    with page.expect_navigation():
        page.evaluate(come_back)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_is_wider_than_the_screen(page, mazur, width, scheme):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 800})
    page.goto("/")
    start(page, "Mazur's network")
    fill(page, {**mazur, "z1[1]": "0.0275", "E": "1/0"})
    check(page)
    expect(page.locator("#summary")).to_be_visible()
    for path in (page.url, "/", "/progress", "/register", "/sign-in"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def take(page, slug):
    """A sheet of an exercise whose numbers are always the same."""
    page.goto(f"/w/{slug}.7.1")
    page.get_by_role("main").get_by_role("button").first.click()
    page.wait_for_url("**/x/*")
    page.wait_for_load_state()


def give_up(page):
    page.locator(".give-up summary").click()
    page.locator(".give-up button").click()
    expect(page.locator(".solution")).to_be_visible()


# The symbols of a solution that reach into the lines beside them.
OVERPRINTED = """() => [...document.querySelectorAll(".step-math")]
    .filter((line) => {
      const symbol = line.querySelector(".step-symbol > *").getBoundingClientRect();
      return symbol.right > line.querySelector(".step-lines").getBoundingClientRect().left + 1;
    })
    .map((line) => line.textContent)"""


@pytest.mark.parametrize("slug", ["mazur-after", "did-it-fall", "logistic-unit"])
def test_no_symbol_of_a_solution_is_printed_over_its_formula_on_a_phone(page, slug):
    page.set_viewport_size({"width": 390, "height": 800})
    take(page, slug)
    give_up(page)
    assert page.locator(".step-symbol").count() > 1
    assert page.evaluate(OVERPRINTED) == []


@pytest.mark.parametrize("slug", ["shapes-backward", "shapes-forward", "mazur"])
@pytest.mark.parametrize("language", ["English", "Deutsch", "Español"])
def test_every_field_has_room_for_a_number_on_the_narrowest_screen(page, slug, language):
    page.set_viewport_size({"width": 320, "height": 700})
    page.get_by_role("button", name=language).click()
    take(page, slug)
    widths = page.locator(".cell input[type=text]").evaluate_all("all => all.map((one) => one.offsetWidth)")
    assert min(widths) >= 72
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.goto("/progress")
    over = page.locator(".invite").evaluate("(box) => box.scrollWidth - box.clientWidth")
    assert over <= 0


@pytest.mark.parametrize("slug", ["attention-backward", "mazur-like", "matrix-batch"])
def test_a_printed_page_cuts_no_picture_and_no_formula(page, slug):
    """What scrolls on a screen has the width of an A4 page with usual margins, before and after giving up."""
    take(page, slug)
    pages = [page.url]
    page.locator("input[data-key]").first.fill("99")
    check(page)
    give_up(page)
    pages += [page.url, re.sub(r"/s/.*", "/pictures", page.url)] if slug != "attention-backward" else [page.url]
    page.set_viewport_size({"width": 688, "height": 1000})
    page.emulate_media(media="print")
    for url in pages:
        page.goto(url)
        page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
        shown = page.locator("svg.qp-diagram").filter(visible=True)
        assert shown.count() >= 1
        edges = shown.evaluate_all("all => all.map(one => one.getBoundingClientRect().right)")
        assert max(edges) <= 688, url
        assert page.evaluate("document.documentElement.scrollWidth") <= 688, url


def test_what_is_folded_on_the_screen_is_printed(page, mazur, tmp_path):
    start(page, "Mazur's network")
    fill(page, dict(list(mazur.items())[:8]))
    check(page)
    expect(page.locator("details.phase:not([open])")).to_have_count(1)
    assert "read as 0.3775" in in_print(tmp_path, page.pdf(), "-layout")
    fill(page, {"E": "5"})
    give_up(page)
    assert page.locator("details.earlier:not([open]) .step").count() > 8
    _, _, solution = in_print(tmp_path, page.pdf(), "-layout").partition("Worked solution")
    assert "0.3775" in solution.partition("From your first wrong step on")[0]


FORGET = """() => {  // what browsers of before 2025 don't know
    for (const sheet of document.styleSheets) {
        for (const print of [...sheet.cssRules].filter((rule) => rule.conditionText === "print")) {
            const at = [...print.cssRules].findIndex((rule) => rule.selectorText?.includes("details-content"));
            if (at >= 0) print.deleteRule(at);
        }
    }
}"""


def test_what_is_folded_is_printed_by_an_older_browser_too(page, mazur, tmp_path):
    page.add_init_script("CSS.supports = () => false")
    start(page, "Mazur's network")
    fill(page, dict(list(mazur.items())[:8]))
    check(page)
    folded = page.locator("details.phase:not([open])")
    expect(folded).to_have_count(1)
    page.evaluate(FORGET)
    assert "read as 0.3775" in in_print(tmp_path, page.pdf(), "-layout")
    expect(folded).to_have_count(1)


def test_enter_moves_on_and_checks_at_the_end(page, mazur):
    start(page, "Mazur's network")
    field(page, "z1[1]").focus()
    for text in mazur.values():
        page.keyboard.type(text)
        page.keyboard.press("Enter")
    expect(page.locator(".score")).to_have_text(f"{len(mazur)} of {len(mazur)}")


@pytest.mark.parametrize("slug", ["max-pooling", "did-it-fall"])
def test_enter_leaves_out_nothing_that_is_to_be_chosen(page, slug):
    """It goes to the first option, or to the one that was chosen."""
    take(page, slug)
    names = [one.get_attribute("name") for one in page.locator(".cell input").all()]
    order = list(dict.fromkeys(names))
    assert len(order) < len(names)
    for option in ("0", "1"):
        page.locator(".cell input").first.focus()
        for number, name in enumerate(order):
            focused = page.locator(".cell input:focus")
            expect(focused).to_have_attribute("name", name)
            if names.count(name) > 1:
                expect(focused).to_have_attribute("value", option)
                page.keyboard.press("ArrowDown")
            if number < len(order) - 1:
                page.keyboard.press("Enter")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.locator(".attempt")).to_contain_text("Attempt 1")


def test_a_row_of_a_spreadsheet_fills_a_row(page, mazur):
    start(page, "Mazur's network")
    row = [mazur["z1[1]"], mazur["z1[2]"], mazur["a1[1]"]]
    paste(page, "z1[1]", "\t".join(row) + "\n")
    assert [field(page, key).input_value() for key in ("z1[1]", "z1[2]", "a1[1]")] == row
    expect(field(page, "a1[1]")).to_be_focused()


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1\t\t3\n", ["1", "", "3", "old"]),
        ("\t2\t3", ["", "2", "3", "old"]),
        ("1\t2\t\r\n", ["1", "2", "", "old"]),
        ("1\r\n\r\n3\r\n", ["1", "", "3", "old"]),
        ("1\t2\n3\t\n", ["1", "2", "3", ""]),
    ],
    ids=["middle", "first", "last of a row", "column", "block"],
)
def test_an_empty_cell_of_a_spreadsheet_empties_its_field_and_shifts_nothing(page, text, values):
    start(page, "Mazur's network")
    keys = ("z1[1]", "z1[2]", "a1[1]", "a1[2]")
    fill(page, dict.fromkeys(keys, "old"))
    paste(page, "z1[1]", text)
    assert [field(page, key).input_value() for key in keys] == values


def test_one_value_is_pasted_as_ever(page):
    start(page, "Mazur's network")
    fill(page, {"z1[1]": "", "z1[2]": "old"})
    field(page, "z1[1]").focus()
    assert paste(page, "z1[1]", "0.5\n") is True  # left to the browser
    expect(field(page, "z1[2]")).to_have_value("old")


def test_the_keyboard_scrolls_whatever_scrolls(page, mazur):
    page.set_viewport_size({"width": 390, "height": 800})
    start(page, "A chain of three units")
    assert page.evaluate(OUT_OF_REACH) == []
    page.goto("/")
    start(page, "Mazur's network")
    assert page.evaluate(OUT_OF_REACH) == []
    fill(page, {"z1[1]": mazur["z1[1]"]})
    check(page)
    expect(page.locator("#summary")).to_be_visible()
    assert page.evaluate(OUT_OF_REACH) == []
    rules = page.get_by_role("region", name="Conventions of this sheet")
    rules.focus()
    expect(rules).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("element => element.scrollLeft > 0", arg=rules.element_handle())


COVERED = """element => {
    const box = element.getBoundingClientRect();
    const top = document.querySelector(".rules").getBoundingClientRect().bottom;
    const bottom = document.querySelector(".bar").getBoundingClientRect().top;
    return box.top < top - 1 || box.bottom > bottom + 1 ? [box.top, top, box.bottom, bottom] : null;
}"""


@pytest.mark.parametrize("language", ["English", "Deutsch", "Español"])
@pytest.mark.parametrize("width", [390, 1280])
def test_what_stays_at_the_top_and_the_bottom_covers_nothing_that_is_gone_to(page, width, language):
    """The strip has one line or two, as the words of the language are."""
    page.set_viewport_size({"width": width, "height": 700})
    page.locator("form.cards button").first.click()
    page.get_by_role("button", name=language).click()
    field(page, "z1[1]").fill("1")
    page.locator(".bar .button").click()
    page.wait_for_url("**#summary")
    heading = page.locator("#summary h2")
    expect(heading).to_be_visible()
    page.wait_for_timeout(300)
    assert heading.evaluate(COVERED) is None
    fields = page.locator("input[type=text][data-key]")
    covered = fields.evaluate_all(
        f"""(down) => [...down, ...down.reverse()]
            .map((one) => (one.focus(), [one.name, document.activeElement === one, ({COVERED})(one)]))
            .filter(([, focused, covered]) => !focused || covered)"""
    )
    assert covered == []


def test_a_form_that_went_nowhere_shows_what_was_typed_and_leads_to_no_other_site(page, complaints):
    page.evaluate(
        """() => {
            const form = document.querySelector("form");
            form.action = "/%5Cevil.example/x";
            form.append(Object.assign(document.createElement("input"), {name: "one", value: "typed"}));
            form.submit();
        }"""
    )
    expect(page.get_by_role("heading", level=1)).to_have_text("There is nothing here")
    expect(page.get_by_role("button", name="Try again")).to_have_count(0)
    address = page.url
    expect(page.get_by_label("one")).to_have_value("typed")
    page.get_by_label("one").press("Enter")
    page.wait_for_timeout(200)
    assert page.url == address
    assert [complaints.pop()] == ["Failed to load resource: the server responded with a status of 404 (NOT FOUND)"]


def test_focus_lights_up_what_a_value_depends_on(page):
    start(page, "Mazur's network")
    field(page, "dE_da1[1]").focus()
    lit = page.locator("svg .qp-lit[data-edge], svg .qp-lit[data-cells]")
    keys = {key for element in lit.all() for key in (element.get_attribute("data-edge"),) if key}
    assert keys == {"W2[1,1]", "W2[2,1]"}
    sources = page.locator(".cell.is-source input")
    assert {source.get_attribute("name") for source in sources.all()} == {"delta2[1]", "delta2[2]"}


def test_a_double_click_counts_once(page, mazur):
    start(page, "Mazur's network")
    fill(page, {"z1[1]": mazur["z1[1]"]})
    page.locator(".bar").get_by_role("button", name="Check").dblclick()
    expect(page.locator(".attempt")).to_contain_text("Attempt 1")
    page.goto("/progress")
    page.get_by_role("main").get_by_role("link", name="Mazur's network").first.click()
    expect(page.locator(".attempt")).to_contain_text("Attempt 1")


def test_another_notation_keeps_what_is_typed(page, mazur):
    start(page, "Mazur's network")
    fill(page, {"z1[1]": mazur["z1[1]"], "a1[1]": "not done yet"})
    page.get_by_role("button", name="Course").click()
    expect(page.get_by_role("button", name="Course")).to_have_attribute("aria-pressed", "true")
    expect(field(page, "a1[1]")).to_have_value("not done yet")
    expect(page.get_by_label("net input z^[1]_1")).to_have_value(mazur["z1[1]"])


def test_everything_works_without_a_script(chromium, site, mazur):
    context = chromium.new_context(base_url=site, java_script_enabled=False)
    page = context.new_page()
    page.goto("/")
    start(page, "Mazur's network")
    fill(page, mazur)
    page.keyboard.press("Enter")
    expect(page.locator(".score")).to_have_text(f"{len(mazur)} of {len(mazur)}")
    context.close()


def test_the_pictures_of_a_step_are_gone_through_one_by_one(page, mazur):
    start(page, "Mazur's network")
    fill(page, mazur)
    check(page)
    pictures, stepper = page.locator(".stepper .sketch"), page.locator(".stepper")
    expect(stepper).to_have_count(0)  # the solution comes first
    page.get_by_role("link", name="Show the pictures").scroll_into_view_if_needed()
    back, onward = stepper.get_by_role("button", name="Back"), stepper.get_by_role("button", name="Next")
    expect(pictures.nth(0)).to_be_visible()
    expect(back).to_be_disabled()
    for number in range(1, pictures.count()):
        onward.click()
        expect(pictures.nth(number)).to_be_visible()
        expect(pictures.nth(number - 1)).to_be_hidden()
    expect(onward).to_be_disabled()
    back.click()
    expect(onward).to_be_enabled()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowLeft")
    expect(pictures.filter(visible=True)).to_have_count(1)


def test_the_pictures_of_a_step_need_no_script(chromium, site):
    context = chromium.new_context(base_url=site, java_script_enabled=False)
    page = context.new_page()
    page.goto("/")
    start(page, "Mazur's network")
    page.get_by_text("Give up and see the solution").click()
    page.get_by_role("button", name="Yes, show the solution").click()
    page.get_by_role("link", name="Show the pictures").click()
    pictures = page.locator(".stepper .sketch")
    expect(page.locator(".stepper").get_by_role("button", name="Next")).to_be_hidden()
    page.locator(".stepper label").nth(3).click()
    expect(pictures.nth(3)).to_be_visible()
    expect(pictures.nth(0)).to_be_hidden()
    page.get_by_role("link", name="Back to the sheet").click()
    expect(page.get_by_role("heading", name="Worked solution")).to_be_visible()
    context.close()


def test_the_link_to_the_pictures_stays_where_they_can_not_be_brought(page, complaints, mazur):
    start(page, "Mazur's network")
    fill(page, mazur)
    page.route("**/pictures", lambda route: route.abort())
    check(page)
    link = page.get_by_role("link", name="Show the pictures")
    link.scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    expect(link).to_be_visible()
    assert len(complaints) == 1
    complaints.clear()
    page.unroute("**/pictures")
    link.click()
    expect(page.locator(".stepper .sketch").first).to_be_visible()


def hint_of(page, key):
    return page.locator(f"[id='{field(page, key).get_attribute('aria-describedby').split()[-1]}']")


def test_a_question_mark_asks_for_the_next_hint_and_the_field_keeps_the_focus(page, mazur):
    start(page, "Mazur's network")
    fill(page, {"z1[1]": mazur["z1[1]"]})
    field(page, "a1[1]").focus()
    for rung in ("Idea", "Formula", "With your numbers"):
        with page.expect_navigation():
            page.keyboard.press("?")
        expect(hint_of(page, "a1[1]").get_by_role("heading").last).to_have_text(rung)
        expect(field(page, "a1[1]")).to_be_focused()
        expect(field(page, "a1[1]")).to_have_value("")
    expect(hint_of(page, "a1[1]")).to_contain_text(f"e^(−{mazur['z1[1]']})")
    # There is no further one, and the keyboard goes on to the next field.
    page.keyboard.press("?")
    page.keyboard.press("Tab")
    expect(field(page, "a1[2]")).to_be_focused()
    expect(field(page, "z1[1]")).to_have_value(mazur["z1[1]"])


def test_hints_work_without_a_script_by_keyboard_alone(chromium, site, mazur):
    context = chromium.new_context(base_url=site, java_script_enabled=False)
    page = context.new_page()
    page.goto("/")
    start(page, "Mazur's network")
    fill(page, {"z1[1]": mazur["z1[1]"]})
    page.keyboard.press("Tab")
    with page.expect_navigation():
        page.keyboard.press("Enter")  # the Hint button behind the field
    expect(hint_of(page, "z1[1]")).to_contain_text("adds up what reaches it")
    expect(field(page, "z1[1]")).to_be_focused()
    with page.expect_navigation():
        page.get_by_role("button", name=re.compile(r"Formula\W+net_h1")).click()
    expect(hint_of(page, "z1[1]")).to_contain_text("net_h1 = w1 · i1 + w2 · i2 + b1")
    expect(field(page, "z1[1]")).to_have_value(mazur["z1[1]"])
    context.close()


def test_the_earlier_steps_of_a_solution_can_be_opened(page, mazur):
    start(page, "Mazur's network")
    fill(page, {**mazur, "delta2[1]": "5"})
    page.get_by_text("Give up and see the solution").click()
    page.get_by_role("button", name="Yes, show the solution").click()
    steps = page.locator(".step:visible")
    after = steps.count()
    page.get_by_text("Show all steps").click()
    assert steps.count() == len(mazur) > after


def test_a_slip_is_found_by_the_keyboard_alone(page):
    page.goto("/kinds/question")
    start(page, "Find the slip in a logistic unit")
    for _ in range(20):
        page.locator(".settings button").last.focus()
        for name in ("cell", "mistake"):
            if name == "mistake" and page.locator(".ask-hold:not([open])").count():
                tab_to(page, ".ask-hold summary")
                page.keyboard.press("Enter")
            tab_to(page, f"input[name={name}]")
            # Nothing is chosen at first; what was wrong is changed for the next.
            chosen = page.locator(f"input[name={name}]:checked").count()
            if not chosen:
                page.keyboard.press("Space")
            elif "Correct" not in page.locator(f"#said-{name}").inner_text():
                page.keyboard.press("ArrowDown")
        with page.expect_navigation():
            page.keyboard.press("Enter")
        if page.get_by_role("heading", name="All of it right").count():
            break
    expect(page.locator(".score")).to_have_text("2 of 2")


def test_moments_are_written_in_the_time_zone_of_the_browser(chromium, site):
    context = chromium.new_context(base_url=site, timezone_id="America/Sao_Paulo", locale="en-GB")
    page = context.new_page()
    page.goto("/")
    start(page, "Mazur's network")
    page.goto("/progress")
    expect(page.locator("time").first).to_contain_text("UTC-03")
    page.goto("/settings")
    expect(page.get_by_label("Time zone")).to_contain_text("The browser's: America/Sao_Paulo")
    context.close()
