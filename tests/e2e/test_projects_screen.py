"""Projects: begin one with a folder, see it as a card, rename and delete it."""

from playwright.sync_api import expect


def test_projects__one_begins_with_a_folder_of_the_server(anna, served, pictures):
    page = anna.page
    page.get_by_role("button", name="New project").last.click()
    dialog = page.get_by_role("dialog", name="New project")
    dialog.get_by_label("Folder or file on the server").fill(str(pictures))
    expect(dialog.get_by_label("Name", exact=True)).to_have_value("pictures")
    dialog.get_by_label("Name", exact=True).fill("blood cells")
    dialog.get_by_role("button", name="Create and import").click()
    expect(dialog.get_by_role("status")).to_contain_text("12 images added")
    dialog.get_by_role("button", name="Open blood cells").click()
    expect(page.get_by_role("listbox", name="Images").get_by_role("option")).to_have_count(12)

    page.get_by_role("link", name="Countersign: all projects").click()
    card = page.get_by_role("article", name="blood cells")
    expect(card).to_contain_text("0 labelled")
    expect(card.locator("img")).to_have_count(4)


def test_projects__a_wrong_folder_is_said_and_can_be_mended(anna, pictures):
    page = anna.page
    page.get_by_role("button", name="New project").last.click()
    dialog = page.get_by_role("dialog", name="New project")
    dialog.get_by_label("Folder or file on the server").fill(str(pictures / "nowhere"))
    dialog.get_by_label("Name", exact=True).fill("cells")
    dialog.get_by_role("button", name="Create and import").click()
    expect(dialog.get_by_role("alert")).to_contain_text("nowhere")


def test_projects__rename_and_delete(anna, served, pictures):
    served.project("smears", pictures)
    page = anna.go("/")
    page.get_by_label("More about smears").click()
    page.get_by_role("menuitem", name="Rename").click()
    page.get_by_role("dialog").get_by_label("Name").fill("stained")
    page.get_by_role("dialog").get_by_role("button", name="Rename").click()
    page.get_by_label("More about stained").click()
    page.get_by_role("menuitem", name="Delete").click()
    question = page.get_by_role("dialog", name="Delete “stained”?")
    expect(question).to_contain_text("deleted for good")
    question.get_by_role("button", name="Delete the project").click()
    expect(page.get_by_role("article", name="stained")).to_have_count(0)


def test_shell__palette_and_sheet_of_shortcuts(anna, smears):
    page = anna.go(f"/p/{smears}/images")
    expect(page.get_by_role("listbox", name="Images").get_by_role("option").first).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Tags of the selected images")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("Control+k")
    page.keyboard.type("all projects")
    expect(page.get_by_role("option").first).to_be_visible()
    page.keyboard.press("Escape")


def test_shell__without_a_session_nothing_is_shown(browser, served, smears):
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{served.url}/p/{smears}/images")
    expect(page.get_by_text("Open the link that “countersign serve” printed")).to_be_visible()
    page.get_by_label("Link or token").fill(served.token)
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_role("listbox", name="Images").get_by_role("option")).to_have_count(12)
    context.close()
