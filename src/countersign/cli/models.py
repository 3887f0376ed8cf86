"""``countersign models``: the models of the workspace and of the catalogue, and their weights on this computer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from countersign.cli.model_cards import card_lines, listed
from countersign.cli.options import FILE, common
from countersign.cli.output import count
from countersign.cli.remote_models import url
from countersign.cli.session import Session, pass_session

if TYPE_CHECKING:
    from countersign.workbench.shelf import Entry, Shelf


def shelf(session: Session) -> Shelf:
    """Return the models of the workspace, or of the catalogue alone where there is no workspace."""
    from countersign.domain.errors import WorkspaceError
    from countersign.workbench.shelf import Shelf

    try:
        return session.open().models
    except WorkspaceError:
        if session.workspace:  # one that was asked for by name must be there
            raise
        return Shelf()


@click.group(invoke_without_command=True)
@common
@pass_session
@click.pass_context
def models(ctx: click.Context, session: Session) -> None:
    """List the models that are here; list all there are, show, pull, add, remove, check, rename, export ... one."""
    if ctx.invoked_subcommand is not None:
        return
    found = shelf(session).catalogue()
    here = [entry for entry in found if entry.installed]
    if session.out.data(here):
        return
    listed(session, here, none="There are no models here. 'countersign train PROJECT' teaches one.")
    if len(here) < len(found):
        more = count(len(found) - len(here), "model")
        session.out.notice(f"{more} more can be fetched: countersign models list")


@models.command("list")
@click.option("--task", metavar="TASK", default="", help="Only models that do this: detection, pose, embedding ...")
@click.option(
    "--vocabulary",
    metavar="KIND|CLASS",
    default="",
    help="Only models with any words (zero-shot), a list of classes (fixed), or that can find CLASS.",
)
@click.option(
    "--licence",
    metavar="KIND|NAME",
    default="",
    help="Only models under permissive licences, under restricted ones, or under a licence of this NAME.",
)
@click.option("--installed/--not-installed", default=None, help="Only models whose files are here (or are not).")
@common
@pass_session
def list_(session: Session, task: str, vocabulary: str, licence: str, installed: bool | None) -> None:
    """List all models: of the workspace, of the catalogue, and those that you added.

    Speed and performance go from one bar to three, among models that do the same.
    """
    found = shelf(session).catalogue(task=task, vocabulary=vocabulary, licence=licence, installed=installed)
    if not session.out.data(found):
        listed(session, found, none="No model fits.")


@models.command()
@click.argument("model")
@common
@pass_session
def show(session: Session, model: str) -> None:
    """Show the card of MODEL: what it knows, its licences, how good it is by whom, and where its files are."""
    entry = _entry(session, model)
    if session.out.data(entry):
        return
    pairs, details = card_lines(entry)
    session.out.pairs(pairs)
    for line in details:
        session.out.line(line)


def _entry(session: Session, model: str) -> Entry:
    """Return a model as an entry; one that only its family knows (``timm:resnet18``, a path) by its card."""
    from countersign.domain.errors import NotFound
    from countersign.workbench.shelf import FETCHED, Entry

    found = shelf(session)
    try:
        return found.entry(model)
    except NotFound:
        if session.opened is not None:
            return Entry(session.open().models.card(model), FETCHED, None)
        if not Path(model.partition("?")[0]).expanduser().exists():
            raise
        return Entry(found.card(model), FETCHED, None)


@models.command()
@click.argument("names", metavar="MODEL...", nargs=-1, required=True)
@click.option("--accept-licence", is_flag=True, help="You accept its licence; that is recorded with your name.")
@click.option(
    "--allow-pickle",
    "pickles",
    metavar="FILE",
    multiple=True,
    help="Take this file of the repository though it is a pickle, which can run code when opened; may be repeated.",
)
@click.option("--again", is_flag=True, help="Fetch damaged files anew.")
@common
@pass_session
def pull(session: Session, names: tuple[str, ...], accept_licence: bool, pickles: tuple[str, ...], again: bool) -> None:
    """Fetch the weights of each MODEL; what was broken off goes on.

    MODEL is a name of the catalogue, or FAMILY:NAME as a run takes it: timm:resnet18, detector:OWNER/NAME. A restricted
    licence is shown, and must be accepted first.
    """
    from countersign.cli.progress import progress

    found = shelf(session)
    done = []
    for name in names:
        agreed = accept_licence or _agrees(session, found.entry(name))
        with progress(session) as on_progress:
            entry = found.pull(name, accept_licence=agreed, allow_pickles=pickles, again=again, on_progress=on_progress)
        done.append(entry)
        if not session.as_json and entry.installed:
            session.out.line(f"{entry.name}: {entry.installed.bytes / 1e6:,.1f} MB in {entry.installed.folder}.")
    session.out.data(done)


def _agrees(session: Session, entry: Entry) -> bool:
    """Show a licence that must be accepted and ask, where somebody can answer."""
    import sys

    if not entry.licence_due or session.as_json or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    from countersign.models.folder.licences import notice

    click.echo(f"{notice(entry.card)}.", err=True)
    return click.confirm("Do you accept?", abort=True, err=True)


@models.command()
@click.argument("path", type=FILE)
@click.option("--name", default="", help="Name that it shall have (if not given: of its file).")
@click.option("--classes", metavar="FILE|NAME,NAME...", default="", help="Names of its outputs, in their order.")
@click.option("--licence", default="", help="Licence of its weights.")
@click.option("--description", default="", help="What it is, in a sentence.")
@click.option(
    "--as",
    "reference",
    metavar="FAMILY:NAME",
    default="",
    help="The architecture, for weights whose file does not say it: timm:resnet18.",
)
@click.option("--link", is_flag=True, help="Leave the files where they are instead of copying them.")
@click.option("--allow-pickle", is_flag=True, help="Allow a pickle, which can run code when opened, if you trust it.")
@common
@pass_session
def add(session: Session, /, path: Path, classes: str, **said: Any) -> None:
    """Give the model in PATH, a file or folder of yours, a name among the models.

    What --model takes by its path can be added. Files beside it with the same name (a description, a list of classes)
    come along.
    """
    entry = shelf(session).add(path, classes=_class_names(classes), **said)
    if not session.out.data(entry):
        known = count(len(entry.card.classes), "class", "classes") if entry.card.classes else "any words"
        where = f" in {entry.installed.folder}" if entry.installed else ""
        session.out.line(f"{entry.name} ({entry.card.family}) knows {known}; it is{where}.")


def _class_names(text: str) -> list[str]:
    from countersign.domain.errors import InvalidInput

    path = Path(text).expanduser()
    if not text or (("," in text) and not path.is_file()):
        return [part.strip() for part in text.split(",") if part.strip()]
    try:
        return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(
            f"the class names in {text} cannot be read: {error}",
            remedy="Give a text file with a name a line, or names with commas between.",
        ) from error


@models.command()
@click.argument("model")
@click.option("--yes", is_flag=True, help="Do not ask.")
@common
@pass_session
def remove(session: Session, model: str, yes: bool) -> None:
    """Delete the files of MODEL from the models folder. Files that it only links to stay."""
    found = shelf(session)
    if not yes:
        click.confirm(f"Delete the files of {model} from the models folder?", abort=True, err=True)
    freed = found.remove(model)
    if not session.out.data({"removed": model, "bytes": freed}):
        session.out.line(f"Removed {model}: {freed / 1e6:,.1f} MB are free again.")


@models.command()
@click.argument("names", metavar="[MODEL...]", nargs=-1)
@common
@pass_session
def check(session: Session, names: tuple[str, ...]) -> int:
    """Hash the files of each MODEL (of all that are here) again, and list those that are damaged or missing.

    Files that you put into the models folder by hand are recorded. The exit code is 6 where something is wrong.
    """
    from countersign.cli.progress import progress
    from countersign.domain.errors import ModelError

    with progress(session) as on_progress:
        found = shelf(session).check(*names, on_progress=on_progress)
    wrong = [item for item in found if item.state in ("damaged", "missing")]
    if not session.out.data(found):
        for item in wrong:
            session.out.line(f"{item.state}: {item.path}")
        if not wrong:
            session.out.line(f"{count(len(found), 'file')} checked; all are what they should be.")
        for name in dict.fromkeys(item.model for item in wrong):
            own = shelf(session).entry(name).origin == "own"
            again = f"countersign models remove {name}, then add it again" if own else (
                f"countersign models pull {name} --again")  # fmt: skip
            session.out.notice(f"To mend {name}: {again}")
    return ModelError.exit_code if wrong else 0


@models.command("allow-pickle")
@click.argument("file", type=FILE)
@common
@pass_session
def allow_pickle(session: Session, file: Path) -> None:
    """Allow FILE, a pickle that you trust, to be opened from now on. Changed by a byte, it is refused again."""
    digest = shelf(session).allow_pickle(file)
    if not session.out.data({"file": file, "sha256": digest}):
        session.out.line(f"{file} may be opened (SHA-256 {digest}).")


@models.command()
@click.argument("model")
@click.argument("new_name")
@common
@pass_session
def rename(session: Session, model: str, new_name: str) -> None:
    """Give MODEL, of the workspace, another name."""
    found = session.open().models.rename(model, new_name)
    if not session.out.data(found):
        session.out.line(f"{model} is now {found.name}.")


@models.command()
@click.argument("model")
@click.option("--yes", is_flag=True, help="Do not ask.")
@common
@pass_session
def delete(session: Session, model: str, yes: bool) -> None:
    """Delete MODEL of the workspace and its weights. Labels that it made keep saying where they came from."""
    found = session.open().models.get(model)
    if not yes:
        click.confirm(f"Delete the model {found.name} and its weights, for good?", abort=True, err=True)
    session.open().models.delete(model)
    if not session.out.data({"deleted": found.name}):
        session.out.line(f"Deleted the model {found.name}.")


@models.command()
@click.argument("model")
@click.argument("file", type=FILE)
@common
@pass_session
def export(session: Session, model: str, file: Path) -> None:
    """Write MODEL of the workspace to one file, which 'countersign models import' takes anywhere."""
    path = session.open().models.export(model, file)
    if not session.out.data({"model": model, "file": path}):
        session.out.line(f"Wrote {model} to {path}.")


@models.command("import")
@click.argument("file", type=FILE)
@click.option("--name", default="", help="Name that it shall have (if not given: its own).")
@common
@pass_session
def import_(session: Session, file: Path, name: str) -> None:
    """Bring a model that was exported into the workspace."""
    found = session.open(create=True).models.import_file(file, name=name)
    if not session.out.data(found):
        session.out.line(f"{found.name} knows {count(len(found.card.classes), 'class', 'classes')}.")


models.add_command(url)
