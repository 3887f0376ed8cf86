"""The program ``countersign``: its commands, and what becomes of an error.

Commands are named here and loaded when they are used, so that ``countersign --help`` is quick: this module
imports neither the store nor anything that computes.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from countersign import __version__
from countersign.cli.errors import report
from countersign.cli.lazy import Entry, LazyGroup
from countersign.cli.options import common
from countersign.cli.session import Session

_SECTIONS = {
    "Begin": (
        ("demo", "demo:demo", "See the whole job done on made-up pictures in minutes."),
        ("serve", "serve:serve", "Open the workbench in the browser."),
        ("serve-model", "serve_model:serve_model", "Serve one model over HTTP."),
        ("import", "transfer:import_", "Bring images, labels or both into a project."),
        ("projects", "projects:projects", "List projects; create, rename or delete one."),
        ("workspace", "workspace:workspace", "Say where everything is kept; create a workspace."),
    ),
    "Teach and label": (
        ("train", "train:train", "Teach a model by the labels of a field."),
        ("trainings", "train:trainings", "List the trainings of a project; cancel one."),
        ("models", "models:models", "List and show models; fetch, add, check, rename, export ... one."),
        ("run", "run:run", "Let a model label images into a new field."),
        ("ask", "ask:ask", "Ask a model a question about images."),
        ("label-map", "label_map:label_map", "Say which class of a project a class of a model becomes."),
        ("runs", "runs:runs", "List the runs of a project."),
        ("show", "runs:show", "Show one run: what it was told, how far it is, what failed."),
        ("pause", "runs:pause", "Pause a run."),
        ("resume", "runs:resume", "Go on with a paused, stopped or failed run."),
        ("cancel", "runs:cancel", "Cancel a run; what it has labelled stays."),
        ("skip", "runs:skip", "Take an unfinished run to review with what there is."),
        ("rename", "runs:rename", "Give a run another name."),
    ),
    "Review": (
        ("review", "review:review", "Make a field with confidences reviewable like a run."),
        ("stats", "review:stats", "Count labels and mean confidence per class."),
        ("labels", "review:labels", "List single labels of a run or field."),
        ("promote", "review:promote", "Mark the labels that a filter shows as right."),
        ("reject", "review:reject", "Mark the labels that a filter shows, or single ones, as wrong."),
        ("undo", "review:undo", "Take promotions back: all, or one class."),
        ("edit", "review:edit", "Correct one label: its class or its box."),
        ("approve", "review:approve", "Join the promoted labels to the verified ones and close the run."),
    ),
    "Look and take away": (
        ("export", "transfer:export", "Write the labels of a field in another format."),
        ("evaluate", "evaluate:evaluate", "Measure how good one field is against another."),
        ("compare", "evaluate:compare", "List where two fields differ, label by label."),
        ("images", "look:images", "List the images of a project, or mark some."),
        ("fields", "look:fields", "List the fields of a project and what they hold."),
        ("history", "look:history", "List changes; undo one."),
    ),
}
COMMANDS = tuple(
    Entry(name, f"countersign.cli.{target}", section, summary)
    for section, commands in _SECTIONS.items()
    for name, target, summary in commands
)


@click.group(
    cls=LazyGroup,
    entries=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@common
@click.version_option(__version__, prog_name="countersign", message="%(prog)s %(version)s")
def cli() -> None:
    """Models label your images; you countersign.

    A first hour, with a folder of images of which some are labelled:

    \b
      countersign import cells photos/               images and labels, where they are
      countersign train cells --budget 120           teach a model by the labels
      countersign run cells --model cells-1 --field auto1
      countersign stats auto1                        what it found, class by class
      countersign promote auto1 --min-confidence 0.5
      countersign approve auto1                      into ground_truth
      countersign export cells --format coco --out labels.json
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code. No exception leaves this function."""
    session = Session()
    try:
        code = cli.main(
            args=None if arguments is None else list(arguments),
            prog_name="countersign",
            standalone_mode=False,
            obj=session,
        )
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except BaseException as error:
        return report(error, session)
    finally:
        session.close()
