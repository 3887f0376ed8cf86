"""What must be said of a model behind a URL so that it can be used. Values only; nothing is asked over the network.

The secret of the authentication header is no part of what ``public`` returns: cards, exports and lists never hold it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from countersign.domain.errors import InvalidInput, ModelError
from countersign.domain.model import LABELLING, ModelCard, Task
from countersign.models.remote.steps import Post, Pre

Contract = Literal["countersign", "plain", "label-studio", "cvat", "x-anylabeling", "supervisely"]
ENV_PREFIX = "COUNTERSIGN_"
_SECRET_KEYS = frozenset({"secret"})


class RemoteSpec(BaseModel):
    """A model behind a URL."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False)

    url: Annotated[str, Field(min_length=8, max_length=2000)]
    """Address: of the server (contracts countersign, label-studio, x-anylabeling, supervisely), or of the function."""
    contract: Contract = "countersign"
    """What the server speaks."""
    model: Annotated[str, Field(max_length=500)] = ""
    """Name of the model at the server, where the server has several."""
    description: Annotated[str, Field(max_length=2000)] = ""
    tasks: tuple[Task, ...] = ()
    """What it does, the usual one first. Contract countersign tells it by itself."""
    classes: list[str] | dict[int, str] = Field(default_factory=list, max_length=30_000)
    """Its classes, by output index (a list, or numbers with names)."""
    rename: dict[str, str] = Field(default_factory=dict, max_length=30_000)
    """Names that the server gives -> names to use; an empty one leaves the class out."""
    zero_shot: bool = False
    """It takes its classes as words."""
    keypoints: list[str] = Field(default_factory=list, max_length=1000)
    skeleton: tuple[tuple[int, int], ...] = ()
    """Bones: pairs of keypoints, counted from 0."""
    min_confidence: Annotated[float, Field(ge=0, le=1)] = 0.3
    encoding: Literal["png", "jpeg", "tiff"] = "png"
    """How images travel. ``tiff`` sends a TIFF file as it is: all bands, and where on Earth it lies."""
    transfer: Literal["json", "multipart"] = "json"
    """Plain contract: ``{"image": base64}``, or a form with the field ``image``."""
    pre: list[Pre] = Field(default_factory=list, max_length=20)
    """Steps that the image goes through before it is sent."""
    post: list[Post] = Field(default_factory=list, max_length=20)
    """Steps that a list of numbers per class, or a map of numbers per pixel, goes through."""
    boxes: Literal["xyxy", "xywh", "relative-xyxy", "relative-xywh"] = "xyxy"
    """Plain contract: what the four numbers of a box are (pixels, or parts of the image)."""
    label_config: Annotated[str, Field(max_length=200_000)] = ""
    """Label Studio's labelling configuration; empty: one is made of task and classes."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """Parameters that are passed on to the server with every request."""
    timeout_s: Annotated[float, Field(gt=0, le=3600)] = 60.0
    """Seconds that one request may take in all."""
    retries: Annotated[int, Field(ge=0, le=10)] = 3
    """How often a request is repeated where the server is busy, fails (5xx) or cannot be reached."""
    concurrency: Annotated[int, Field(ge=1, le=64)] = 2
    """Requests at once, in one process."""
    max_response_mb: Annotated[float, Field(gt=0, le=4096)] = 64.0
    header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,100}$")] = "Authorization"
    """Name of the header that carries the secret."""
    secret: Annotated[str, Field(max_length=8000, pattern=r"^[^\r\n]*$", repr=False)] = ""
    """Its value (``Bearer ...``). Kept in the workspace's database, never shown again."""
    secret_env: Annotated[str, Field(pattern=rf"^({ENV_PREFIX}[A-Z0-9_]+)?$")] = ""
    """Environment variable that holds the value instead; its name begins with ``COUNTERSIGN_``."""
    ca_file: Annotated[str, Field(max_length=4000)] = ""
    """Certificates (PEM) to trust instead of the usual ones. TLS is always verified."""
    allow_link_local: bool = False
    """Allow addresses of link-local and cloud metadata ranges."""
    card: dict[str, Any] | None = None
    """What the server said of the model when it was added (contract countersign)."""

    @field_validator("url")
    @classmethod
    def _address(cls, url: str) -> str:
        parts = urlsplit(url.strip())
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("an address is http://HOST[:PORT]/... or https://...")
        if parts.username or parts.password:
            raise ValueError("no name or password in an address: give them as the secret of a header")
        _ = parts.port  # raises ValueError for one that is none
        return url.strip()

    @model_validator(mode="after")
    def _fitting(self) -> RemoteSpec:
        if self.secret and self.secret_env:
            raise ValueError("give secret or secret_env, not both")
        if self.contract != "countersign" and not self.tasks:
            raise ValueError(f"tasks: say what the model does; contract {self.contract} does not tell")
        if self.contract == "countersign" and any(step.step == "resize" for step in self.pre):
            raise ValueError("pre: a served model resizes images by itself; leave out that step")
        return self

    def class_names(self) -> dict[int, str]:
        """Return the names by output index, renamed."""
        named = self.classes if isinstance(self.classes, dict) else dict(enumerate(self.classes))
        return {index: self.rename.get(name, name) for index, name in named.items()}

    def headers(self) -> dict[str, str]:
        """Return the header with the secret. Raises ModelError where its variable is not set."""
        value = self.secret
        if self.secret_env:
            value = os.environ.get(self.secret_env, "")
            if not value or "\n" in value or "\r" in value:
                raise ModelError(
                    f"The environment variable {self.secret_env} holds no secret", remedy="Set it where models run."
                )
        return {self.header: value} if value else {}

    def public(self) -> dict[str, Any]:
        """Return it as JSON values without the secret; ``has_secret`` says whether there is one."""
        data = self.model_dump(mode="json", exclude=set(_SECRET_KEYS))
        return data | {"has_secret": bool(self.secret or self.secret_env)}

    def stored(self) -> dict[str, Any]:
        """Return it as JSON values with the secret, for the database alone."""
        return self.model_dump(mode="json")

    def origin(self) -> tuple[str, str, int | None]:
        """Return scheme, host and port: what a secret is meant for."""
        parts = urlsplit(self.url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return parts.scheme, (parts.hostname or "").lower(), port


def from_data(data: Mapping[str, Any], name: str = "") -> RemoteSpec:
    """Check data. Raises InvalidInput that names each wrong key, and never quotes a secret."""
    try:
        return RemoteSpec.model_validate({key: value for key, value in data.items() if key != "has_secret"})
    except ValidationError as error:
        wrong = [
            f"{'.'.join(str(part) for part in item['loc']) or 'spec'}: {item['msg']}"
            for item in error.errors(include_url=False, include_input=False)[:5]
        ]
        what = f"the model {name!r} behind a URL" if name else "a model behind a URL"
        raise InvalidInput(f"{what} is not described right: {'; '.join(wrong)}", remedy="Mend these.") from None


def card_of(spec: RemoteSpec, name: str) -> ModelCard:
    """Return the card of a model whose contract does not tell one, made of what its user said."""
    names = tuple(dict.fromkeys(item for item in spec.class_names().values() if item))
    parts = urlsplit(spec.url)
    details: dict[str, Any] = {"contract": spec.contract, "address": f"{parts.scheme}://{parts.netloc}{parts.path}"}
    if spec.keypoints:
        details |= {"keypoint_names": list(spec.keypoints), "skeleton": [list(bone) for bone in spec.skeleton]}
    if not set(spec.tasks).intersection(LABELLING):
        details["needs_boxes"] = True
    return ModelCard(
        name=name,
        family="remote",
        tasks=tuple(spec.tasks),
        classes=() if spec.zero_shot else names,
        zero_shot=spec.zero_shot,
        description=spec.description,
        min_confidence=spec.min_confidence,
        details=details,
    )
