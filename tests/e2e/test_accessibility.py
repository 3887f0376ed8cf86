"""Every main screen, dark and light, by the rules of axe: nothing serious or critical is wrong with it."""

from pathlib import Path

import pytest
from browsing import Visit
from playwright.sync_api import Browser, Page, expect

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
RUN = """async () => {
  const found = await axe.run(document, { resultTypes: ["violations"] });
  return found.violations
    .filter((rule) => ["serious", "critical"].includes(rule.impact))
    .flatMap((rule) => rule.nodes.map((node) => `${rule.id}: ${node.html.slice(0, 160)} (${node.failureSummary})`));
}"""
BOX = {"class_name": "disc", "geometry": {"type": "box", "x": 20, "y": 30, "width": 50, "height": 40}}


@pytest.fixture(params=["dark", "light"])
def themed(request: pytest.FixtureRequest, anna: Visit) -> Visit:
    """Anna's browser with one of the two colour schemes."""
    anna.page.emulate_media(color_scheme=request.param, reduced_motion="reduce")
    return anna


def problems(page: Page) -> list[str]:
    """What axe finds serious or critical on the page as it is now."""
    if not AXE.is_file():
        pytest.skip("axe-core is not installed: run 'npm ci' in web/")
    page.evaluate(AXE.read_text() + ";0")  # the page itself allows no scripts from elsewhere
    found: list[str] = page.evaluate(RUN)
    return found


def test_axe_finds_what_is_wrong(anna):
    anna.page.locator("main").evaluate("main => { main.innerHTML = '<button></button>' }")
    assert any(problem.startswith("button-name") for problem in problems(anna.page))


def test_projects__accessible(themed, smears):
    page = themed.go("/")
    expect(page.get_by_role("article").first).to_be_visible()
    assert problems(page) == []
    page.get_by_role("button", name="New project").first.click()
    expect(page.get_by_role("dialog", name="New project").get_by_label("Name", exact=True)).to_be_visible()
    assert problems(page) == []


def test_images__accessible(themed, served, smears):
    served.run(smears, "auto")
    page = themed.go(f"/p/{smears}/images?q=field%3Dauto")
    expect(page.get_by_role("option").first).to_be_visible()
    expect(page.get_by_role("region", name="Class")).to_be_visible()
    assert problems(page) == []
    page.keyboard.press("Control+a")
    page.keyboard.press("t")
    expect(page.get_by_label("Find or make a tag")).to_be_visible()
    assert problems(page) == []


def test_dialogs__accessible(themed, smears):
    page = themed.go(f"/p/{smears}/images")
    expect(page.get_by_role("option").first).to_be_visible()
    for open_it, name in (("?", "Keyboard and mouse"), ("Control+k", "Command palette")):
        page.keyboard.press(open_it)
        expect(page.get_by_role("dialog", name=name)).to_be_visible()
        assert problems(page) == []
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog", name=name)).to_have_count(0)
    page.get_by_role("button", name="Export").click()
    expect(page.get_by_role("dialog", name="Export labels")).to_be_visible()
    assert problems(page) == []


def test_editor__accessible(themed, served, smears):
    image = served.images(smears)["smear_0000.jpg"]["id"]
    served.post(f"/images/{image}/labels", {"field": "ground_truth", "labels": [BOX]})
    page = themed.go(f"/p/{smears}/image/{image}")
    expect(page.get_by_text("disc").first).to_be_visible()
    assert problems(page) == []


def test_runs_review_models__accessible(themed, served, smears):
    run = served.run(smears, "auto")
    for path, sign in (
        (f"/p/{smears}/runs", "auto"),
        (f"/p/{smears}/runs/{run}/review", "disc"),
        ("/models", "Models"),
        ("/nowhere", "There is nothing at this address"),
    ):
        page = themed.go(path)
        expect(page.locator("main").get_by_text(sign).first).to_be_visible()
        assert problems(page) == []


def test_catalogue__accessible(themed, served):
    page = themed.go("/models?view=catalogue")
    expect(page.get_by_role("option").first).to_be_visible()
    expect(page.get_by_role("article").first).to_be_visible()
    assert problems(page) == []
    for item, name in (("A model by URL", "Add a model by URL"), ("Weights of your own", "Add a model of your own")):
        page.get_by_role("button", name="Add a model").click()
        page.get_by_role("menuitem", name=item).click()
        dialog = page.get_by_role("dialog", name=name)
        expect(dialog.get_by_label("Name", exact=True)).to_be_visible()
        if "URL" in name:
            dialog.get_by_role("combobox", name="Contract").click()
            page.get_by_role("option", name="Plain").click()
            for part in ("How images are sent", "Limits"):
                dialog.get_by_role("button", name=part).click()
            dialog.get_by_role("button", name="Add a step: Before").click()
            page.get_by_role("menuitem", name="Normalise").click()
        expect(page.get_by_role("menu")).to_have_count(0)
        assert problems(page) == []
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)


def test_auto_label_and_label_map__accessible(themed, served, smears):
    served.install("blob-words", "blob-cut")
    page = themed.go(f"/p/{smears}/runs?new=1")
    dialog = page.get_by_role("dialog", name="Auto label")
    expect(dialog.get_by_role("article").first).to_be_visible()
    assert problems(page) == []
    for label, option in (
        ("Task", "Instance segmentation"),
        ("Method", "Detector"),
        ("Detector", "blob-words"),
        ("Segmenter", "blob-cut"),
    ):
        dialog.get_by_role("combobox", name=label, exact=True).click()
        page.get_by_role("option", name=option).first.click()
    words = dialog.get_by_role("combobox", name="Look for")
    words.fill("nucleus, debris")
    words.press("Enter")
    for part in ("Prompts of a class", "Where masks go"):
        dialog.get_by_role("button", name=part).click()
    expect(dialog.get_by_label("Name of the run")).to_be_visible()
    assert problems(page) == []
    for label, option in (("Task", "Detection"), ("Model", "A model of blobs")):
        dialog.get_by_role("combobox", name=label, exact=True).click()
        page.get_by_role("option", name=option).first.click()
    dialog.get_by_role("combobox", name="Name of the blobs model").fill("cells")
    dialog.get_by_role("button", name="Label map").click()
    expect(page.get_by_role("dialog", name="Label map of blobs:cells").get_by_label("Class for rod")).to_be_visible()
    assert problems(page) == []


def test_questions__accessible(themed, served, smears):
    # The model of the tests is not in the catalogue: it needs no file.
    model = {"name": "talker:parrot", "installed": {"path": "", "bytes": 0, "files": 0}, "tasks": ["questions"]}
    themed.page.route(
        "**/api/v1/catalogue?task=questions", lambda route: route.fulfill(json={"items": [model], "folder": ""})
    )
    page = themed.go(f"/p/{smears}/image/{served.images(smears)['smear_0000.jpg']['id']}")
    expect(page.get_by_test_id("save-state")).to_have_attribute("data-phase", "saved")
    page.keyboard.press("q")
    questions = page.get_by_role("list", name="Questions about this image").get_by_role("listitem")
    for question, sign in (("How many cells?", "You ask that of"), ("Will it fail?", "the parrot is asleep")):
        page.get_by_role("textbox", name="Question").fill(question)
        page.get_by_role("button", name="Ask", exact=True).click()
        expect(questions.first).to_contain_text(sign, timeout=60_000)
    assert problems(page) == []


def test_gate__accessible(browser: Browser, served):
    context = browser.new_context()
    page = context.new_page()
    page.goto(served.url)
    expect(page.get_by_label("Link or token")).to_be_visible()
    assert problems(page) == []
    context.close()
