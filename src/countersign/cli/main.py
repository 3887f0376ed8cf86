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

COMMANDS = (
    Entry("import", "countersign.cli.transfer:import_", "Begin", "Bring images, labels or both into a project."),
    Entry("projects", "countersign.cli.projects:projects", "Begin", "List projects; create, rename or delete one."),
    Entry("workspace", "countersign.cli.workspace:workspace", "Begin", "Say where everything is kept; create a workspace."),
    Entry("train", "countersign.cli.train:train", "Teach and label", "Teach a model by the labels of a field."),
    Entry("models", "countersign.cli.models:models", "Teach and label", "List, show, rename, delete, export or import models."),
    Entry("run", "countersign.cli.run:run", "Teach and label", "Let a model label images into a new field."),
    Entry("runs", "countersign.cli.runs:runs", "Teach and label", "List the runs of a project."),
    Entry("show", "countersign.cli.runs:show", "Teach and label", "Show one run: what it was told, how far it is, what failed."),
    Entry("pause", "countersign.cli.runs:pause", "Teach and label", "Pause a run."),
    Entry("resume", "countersign.cli.runs:resume", "Teach and label", "Go on with a paused, stopped or failed run."),
    Entry("cancel", "countersign.cli.runs:cancel", "Teach and label", "Cancel a run; what it has labelled stays."),
    Entry("skip", "countersign.cli.runs:skip", "Teach and label", "Take an unfinished run to review with what there is."),
    Entry("rename", "countersign.cli.runs:rename", "Teach and label", "Give a run another name."),
    Entry("review", "countersign.cli.review:review", "Review", "Make a field with confidences reviewable like a run."),
    Entry("stats", "countersign.cli.review:stats", "Review", "Count labels and mean confidence per class."),
    Entry("labels", "countersign.cli.review:labels", "Review", "List single labels of a run or field."),
    Entry("promote", "countersign.cli.review:promote", "Review", "Mark the labels that a filter shows as right."),
    Entry("reject", "countersign.cli.review:reject", "Review", "Mark the labels that a filter shows, or single ones, as wrong."),
    Entry("undo", "countersign.cli.review:undo", "Review", "Take promotions back: all, or one class."),
    Entry("edit", "countersign.cli.review:edit", "Review", "Correct one label: its class or its box."),
    Entry("approve", "countersign.cli.review:approve", "Review", "Join the promoted labels to the verified ones and close the run."),
    Entry("export", "countersign.cli.transfer:export", "Look and take away", "Write the labels of a field in another format."),
    Entry("evaluate", "countersign.cli.evaluate:evaluate", "Look and take away", "Measure how good one field is against another."),
    Entry("compare", "countersign.cli.evaluate:compare", "Look and take away", "List where two fields differ, label by label."),
    Entry("images", "countersign.cli.look:images", "Look and take away", "List the images of a project, or mark some."),
    Entry("fields", "countersign.cli.look:fields", "Look and take away", "List the fields of a project and what they hold."),
    Entry("history", "countersign.cli.look:history", "Look and take away", "List changes; undo one."),
)  # fmt: skip


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
