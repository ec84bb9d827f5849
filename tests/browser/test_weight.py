"""A page comes quickly over a slow network: little is transferred before it can be read and worked."""

import pytest

pytestmark = pytest.mark.browser

MOST = 60_000


@pytest.fixture
def transferred(page):
    """The bytes that came over the wire for each file since the list was emptied."""
    found = {}
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    network.send("Network.setCacheDisabled", {"cacheDisabled": True})
    network.on("Network.loadingFinished", lambda event: found.update({event["requestId"]: event["encodedDataLength"]}))
    return found


def test_a_first_page_takes_less_than_60_kilobytes(page, transferred):
    """The front page, and the sheet that *Next for me* leads to, each with its pictures, styles and scripts."""
    page.goto("/", wait_until="networkidle")
    assert len(transferred) >= 3
    assert sum(transferred.values()) < MOST, transferred
    transferred.clear()
    page.get_by_role("button", name="Next for me").click()
    page.wait_for_url("**/x/*", wait_until="networkidle")
    assert len(transferred) >= 3
    assert sum(transferred.values()) < MOST, transferred
