"""Weights fetched from the page of the catalogue: progress, cancelled and gone on with, failed and tried again."""

import os

import pytest
from browsing import Served
from playwright.sync_api import expect

from weights_server import WeightsServer

WEIGHTS = os.urandom(400_000)


@pytest.fixture(scope="module")
def hub():
    """A stand-in for the network, which has the files of the catalogue's models."""
    with WeightsServer().running() as running:
        running.files["weights.bin"] = WEIGHTS
        yield running


@pytest.fixture(scope="module")
def served(interface, hub, tmp_path_factory):
    """A server for which the stand-in is the network."""
    environment = {"BLOBS_AT": f"{hub.url}/files", "BLOBS_SIZE": str(len(WEIGHTS))}
    server = Served(tmp_path_factory.mktemp("pulled"), environment=environment).start()
    yield server
    server.stop()


def shown(anna, model):
    page = anna.go("/models?view=catalogue")
    page.get_by_role("textbox", name="Find a model").fill(model)
    return page.get_by_role("article", name=f"Card of {model}")


def test_pull__shows_progress_goes_on_after_a_reload_and_ends_with_the_model_here(anna, served, hub, smears):
    hub.pace = 50_000
    card = shown(anna, "blob-words")
    card.get_by_role("button", name="Pull 400 kB").click()
    bar = card.get_by_role("progressbar", name="Download of blob-words")
    expect(bar).to_be_visible()
    expect(card).to_contain_text("of 400 kB")
    card = shown(anna, "blob-words")  # the page is loaded anew
    expect(bar).to_be_visible()

    page = anna.go(f"/p/{smears}/images")
    page.get_by_role("button", name="Activity: 1 at work").click()
    expect(page.get_by_role("progressbar", name="Download of blob-words")).to_be_visible()
    hub.pace = 0
    expect(page.get_by_role("progressbar", name="Download of blob-words")).to_have_count(0)

    card = shown(anna, "blob-words")
    expect(card).to_contain_text(str(served.folder / "models" / "blob-words"))
    expect(card.get_by_role("button", name="Pull")).to_have_count(0)
    assert (served.folder / "models" / "blob-words" / "weights.bin").read_bytes() == WEIGHTS


def test_pull__cancelled_it_goes_on_where_it_was(anna, served, hub):
    hub.pace = 50_000
    card = shown(anna, "blob-cut")
    card.get_by_role("button", name="Pull 400 kB").click()
    expect(card).to_contain_text("%")
    card.get_by_role("button", name="Cancel").click()
    expect(card).to_contain_text("Cancelled. What has come is kept")
    hub.pace = 0
    card.get_by_role("button", name="Pull again").click()
    expect(card).to_contain_text(str(served.folder / "models" / "blob-cut"))
    assert hub.fetched("weights.bin")[-1].start
    assert (served.folder / "models" / "blob-cut" / "weights.bin").read_bytes() == WEIGHTS


def test_pull__what_failed_is_told_and_tried_again(anna, served, hub):
    hub.pace = 0
    hub.faults["weights.bin"] = [404]
    card = shown(anna, "blob-guarded")
    card.get_by_role("button", name="Pull 400 kB").click()
    dialog = anna.page.get_by_role("dialog", name="The licence of blob-guarded")
    dialog.get_by_role("checkbox").check()
    dialog.get_by_role("button", name="Accept and pull").click()
    told = card.get_by_role("alert")
    expect(told).to_contain_text("weights.bin")
    told.get_by_role("button", name="Close").click()
    expect(told).to_have_count(0)
    card.get_by_role("button", name="Pull 400 kB").click()
    expect(card).to_contain_text(str(served.folder / "models" / "blob-guarded"))
