"""Every exception that Countersign raises on purpose.

The tree::

    CountersignError
    ├── InvalidInput            what was given cannot be used            exit code 2
    │   ├── GeometryError       a box, polygon, mask ... that is none
    │   ├── SettingsError       a setting out of its range
    │   ├── QueryError          an image query that cannot be read
    │   └── FormatError         a label file that cannot be read as its format
    ├── NotFound                no project, run, field, model ... of this name   exit code 3
    ├── Conflict                it clashes with what is there            exit code 4
    │   ├── NameTaken           a name that must be new is not
    │   ├── WrongState          a run (or label) is not where this is possible
    │   └── Outdated            somebody else changed it since it was read
    ├── ImageError              one image file cannot be read            exit code 5
    ├── ModelError              a model cannot be loaded or does not fit exit code 6
    │   ├── WorkerLost          the process that does the work has died
    │   └── ServerGone          the server of a model behind a URL is not there
    ├── WorkspaceError          the workspace or its database cannot be used     exit code 7
    └── Cancelled               somebody asked to stop                   exit code 130

An error carries its data as attributes. ``str(error)`` is one sentence that says what happened
and, where there is one, what to do about it: the command line prints just that.
"""

from __future__ import annotations

from typing import ClassVar


class CountersignError(Exception):
    """Root of the tree. ``what`` says what happened (and to what), ``remedy`` what to do."""

    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, *, remedy: str = "") -> None:
        super().__init__(what, remedy)
        self.what = what
        self.remedy = remedy

    def __str__(self) -> str:
        what = self.what if self.what.endswith((".", "!", "?")) else f"{self.what}."
        return f"{what} {self.remedy}".rstrip()

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments do not survive pickling by default, and errors cross processes.
        return (_rebuild, (type(self), self.__dict__))


def _rebuild(kind: type[CountersignError], state: dict[str, object]) -> CountersignError:
    error = kind.__new__(kind)
    error.__dict__.update(state)
    error.args = (state.get("what", ""), state.get("remedy", ""))
    return error


class InvalidInput(CountersignError):
    """What was given cannot be used."""

    exit_code = 2


class GeometryError(InvalidInput):
    """A geometry that is none: not finite, of no area, too few points, a size that does not match."""


class SettingsError(InvalidInput):
    """A setting out of its range. Carries the setting's name and the value given."""

    def __init__(self, setting: str, value: object, allowed: str) -> None:
        super().__init__(f"{setting} is {value!r}, which is not allowed", remedy=f"Allowed: {allowed}.")
        self.setting = setting
        self.value = value
        self.allowed = allowed


class QueryError(InvalidInput):
    """An image query that cannot be read."""


class FormatError(InvalidInput):
    """A label file that cannot be read as the format it should be. ``where`` is a line or an id."""

    def __init__(self, what: str, *, file: str = "", where: str = "", remedy: str = "") -> None:
        place = f"{file}{f' ({where})' if where else ''}: " if file else ""
        super().__init__(f"{place}{what}", remedy=remedy)
        self.file = file
        self.where = where


class NotFound(CountersignError):
    """Nothing of this kind has this name. ``known`` lists some that exist."""

    exit_code = 3

    def __init__(self, kind: str, name: object, *, known: tuple[str, ...] = (), remedy: str = "") -> None:
        hint = remedy or (f"There are: {', '.join(known[:12])}." if known else "")
        super().__init__(f"There is no {kind} {str(name)!r}", remedy=hint)
        self.kind = kind
        self.name = name
        self.known = known


class Conflict(CountersignError):
    """It clashes with what is there already."""

    exit_code = 4


class NameTaken(Conflict):
    """A name that must be new is taken."""

    def __init__(self, kind: str, name: str, *, remedy: str = "Choose another name.") -> None:
        super().__init__(f"There is already a {kind} named {name!r}", remedy=remedy)
        self.kind = kind
        self.name = name


class WrongState(Conflict):
    """This is not possible in the state it is in."""


class Outdated(Conflict):
    """Somebody else changed it since it was read. ``current`` is what it is now, None if it is gone.

    ``by`` is who changed it, empty where that is not known.
    """

    def __init__(
        self, what: str, current: object = None, *, remedy: str = "Look at it as it is now.", by: str = ""
    ) -> None:
        super().__init__(what, remedy=remedy)
        self.current = current
        self.by = by


class ImageError(CountersignError):
    """One image file cannot be read. ``path`` names it, ``reason`` is a short phrase."""

    exit_code = 5

    def __init__(self, path: object, reason: str, *, remedy: str = "") -> None:
        super().__init__(f"{path}: {reason}", remedy=remedy)
        self.path = str(path)
        self.reason = reason


class ModelError(CountersignError):
    """A model cannot be loaded, is damaged, or does not fit what is asked of it."""

    exit_code = 6


class WorkerLost(ModelError):
    """The process that does the work has died. Nothing else is harmed; the next request starts another."""


class ServerGone(ModelError):
    """The server of a model behind a URL is not there, or lets nobody in: no image is to blame, the next one would meet
    the same."""


class WorkspaceError(CountersignError):
    """The workspace, or the database behind it, cannot be used."""

    exit_code = 7


class Cancelled(CountersignError):
    """Somebody asked to stop."""

    exit_code = 130
