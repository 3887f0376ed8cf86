"""Images: pages of them, counts, what is set on many at once."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from countersign.server.schemas.common import Id, NamedCount, Wire
from countersign.server.schemas.labels import Label


class Image(Wire):
    """One picture of a project. Width and height are pixels of the upright image."""

    id: int
    project_id: int
    name: str
    width: int
    height: int
    hash: str
    """SHA-256 of its file. Give it as `v` to the addresses of its pictures: then they are cached for good."""
    format: str
    bands: int
    dtype: str
    bytes: int
    state: Literal["ok", "missing"]
    split: str
    tags: list[str]
    labels: list[Label] | None = None
    """Its labels in the fields that were asked for; null if none were."""
    path: str | None = None
    """Its file on the server's computer, where that was asked for and paths are allowed."""


class ImagePage(Wire):
    """Some images in order."""

    items: list[Image]
    next: str | None
    """Give it as `after` for those that follow; null at the end."""


class ImageDetail(Wire):
    """One image with where it is, and its neighbours under a query."""

    image: Image
    path: str
    """Its file on the server's computer."""


class ImageIds(Wire):
    """The ids of all images that fit, in order: for a virtual grid, and for the way from one image to the next."""

    ids: list[int]


GeometryDetail = Literal["full", "bounds", "preview"]


class ImageLookup(Wire):
    """Which images to return, by id."""

    ids: list[Id] = Field(max_length=1000)
    labels: list[str] = Field(default_factory=list, max_length=20)
    """Fields whose labels to return with them."""
    geometry: GeometryDetail = "full"
    """`preview`: light shapes for small pictures (polygons with fewer points, masks at a fraction of their size);
    `bounds`: boxes around them."""
    paths: bool = False
    """Whether to tell where the files are."""


class ThumbnailsWanted(Wire):
    """Which thumbnails to return, by the ids of their images."""

    ids: list[Id] = Field(min_length=1, max_length=200)
    size: int = Field(default=256, ge=16, le=1024)
    """Longer side: 128, 256 or 512, the next one is taken."""


class ImageTarget(Wire):
    """Which images: a query in words or in JSON, or ids (then the query must be empty). Neither means all."""

    query: str = Field(default="", max_length=20_000_000)
    ids: list[Id] | None = None


class ImageSearch(ImageTarget):
    """A page of images, for selections too long for an address."""

    sort: Literal["id", "-id", "name", "-name", "confidence", "-confidence"] = "id"
    after: str = Field(default="", max_length=2000)
    limit: int = Field(default=100, ge=1, le=1000)
    labels: list[str] = Field(default_factory=list, max_length=20)
    geometry: GeometryDetail = "full"
    paths: bool = False


class ImageNames(Wire):
    """Names of images: their whole names, or as much of the end as is needed, with or without the ending."""

    names: list[str] = Field(min_length=1, max_length=1_000_000)


class ImageSelection(Wire):
    """The images that names mean."""

    ids: list[int]
    unmatched: list[str]
    """Names that fit no image."""
    ambiguous: list[str]
    """Names that fit several: all of them are among the ids."""


class ImageList(Wire):
    """Some images."""

    items: list[Image]


class ImagesUpdate(ImageTarget):
    """What to set on these images."""

    split: str | None = Field(default=None, max_length=100)
    """Empty: none."""
    add_tags: list[str] = Field(default_factory=list, max_length=50)
    remove_tags: list[str] = Field(default_factory=list, max_length=50)


class FieldFacet(Wire):
    """A field on the images that fit."""

    name: str
    labels: int
    """Its labels, on any image."""
    images_with: int
    """Images that fit and have a label in it."""


class ClassFacet(Wire):
    """A class on the images that fit."""

    name: str
    count: int
    """Labels of the field that was asked for."""
    mean_confidence: float | None


class Facets(Wire):
    """What there is to filter by, counted on the images that fit a query."""

    images: int
    """Images that fit."""
    total: int
    """Images of the project."""
    splits: list[NamedCount]
    tags: list[NamedCount]
    file_states: list[NamedCount]
    fields: list[FieldFacet]
    classes: list[ClassFacet]
    """Of the field that was asked for; empty if none was."""
    states: list[NamedCount]
    """Labels of that field by state. Classes and states count under everything else that the query asks for."""


class QueryCheck(Wire):
    """Whether a query can be read."""

    valid: bool
    problem: str
    text: str
    """The query as it is usually written."""
