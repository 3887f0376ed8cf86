"""One project with all its verbs. Thin: each verb is a function in a module of its own, which does the work.

The examples in the docstrings run in the tests: ``workspace`` holds the project ``shapes`` (also as ``project``) with
six small images of white squares and bars on grey, of which four have labels in ``ground_truth``; ``bright:shapes``
is a model of the tests that finds what is bright.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from countersign.domain.label import Change
from countersign.domain.run import Run
from countersign.workbench import reviewing
from countersign.workbench.progress import OnProgress
from countersign.workbench.project_base import TRUTH
from countersign.workbench.project_data import ProjectData
from countersign.workbench.project_work import ProjectWork
from countersign.workbench.reviewing import Review
from countersign.workbench.selecting import Images

if TYPE_CHECKING:
    from countersign.workbench.evaluation import Evaluation, Found

__all__ = ["TRUTH", "Project"]


class Project(ProjectData, ProjectWork):
    """Images, classes, fields and runs that belong together. Made by ``Workspace.project``.

    Where a verb takes ``images`` it means a query (``"split=train has=ground_truth"``), a file of image names, a list
    of names or ids, an ``ImageQuery``, or None for all.
    """

    def review(self, what: Run | str | int) -> Review:
        """Open the review of a run, or of any field by its name.

        >>> [(item.class_name, item.current) for item in project.review("ground_truth").stats()]
        [('bar', 2), ('square', 2)]
        """
        return reviewing.open_review(self._store, self._record, what, self._user)

    def adopt(self, field: str) -> Run:
        """Make a field whose labels carry confidences reviewable like a run. Raises NotFound, WrongState.

        >>> _ = project.add_labels({"5.png": [Label("square", Box(4, 4, 20, 20), 0.8)]}, field="theirs")
        >>> run = project.adopt("theirs")
        >>> run.state.value, run.labels
        ('in_review', 1)
        """
        return reviewing.adopt(self._store, self._record, field, self._user)

    def approve(self, run: Run | str | int, into: str = TRUTH, *, empty: bool = False) -> Change:
        """Join the promoted labels of a run to the verified ones; see ``Review.approve``.

        >>> run = project.run("bright:shapes", "auto", executor="inline")
        >>> _ = project.review(run).promote(LabelFilter(classes=("bar",)))
        >>> project.approve(run).count
        3
        """
        return self.review(run).approve(into, empty=empty)

    def evaluate(
        self,
        field: str,
        against: str = TRUTH,
        *,
        images: Images = None,
        classes: Sequence[str] = (),
        min_confidence: float | None = None,
        on_progress: OnProgress | None = None,
    ) -> Evaluation:
        """Measure how good a field is against another, on the images that have labels in the other or on those chosen.

        >>> _ = project.run("bright:shapes", "auto", executor="inline")
        >>> scores = project.evaluate("auto")
        >>> scores.images, scores.boxes.ap50
        (4, 1.0)
        """
        from countersign.workbench import comparing

        return comparing.evaluate(
            self._store, self._record, field, against, query=None if images is None else self._query(images),
            classes=classes, min_confidence=min_confidence, on_progress=on_progress,
        )  # fmt: skip

    def compare(
        self,
        field: str,
        against: str = TRUTH,
        *,
        images: Images = None,
        classes: Sequence[str] = (),
        min_confidence: float | None = None,
        only: Sequence[str] = (),
        match_iou: float = 0.5,
        same_iou: float = 0.9,
    ) -> list[Found]:
        """List where a field differs from another: labels that are extra, missing, moved or relabelled.

        >>> _ = project.add_labels({"0.png": [Label("bar", shape.geometry) for shape in project.labels()["0.png"]]},
        ...                        field="theirs")
        >>> [(item.image.name, item.difference.what.value) for item in project.compare("theirs", images=["0.png"])]
        [('0.png', 'relabelled')]
        """
        from countersign.workbench import comparing

        return comparing.compare(
            self._store, self._record, field, against, query=None if images is None else self._query(images),
            classes=classes, min_confidence=min_confidence, only=only, match_iou=match_iou, same_iou=same_iou,
        )  # fmt: skip
