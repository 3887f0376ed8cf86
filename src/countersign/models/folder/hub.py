"""What a repository of the Hugging Face hub holds: which files of it a model needs, with their sizes and checksums.

The listing is asked of ``huggingface_hub``, which knows the user's token. The files themselves are fetched by
``download``: the library's own begins a file anew in each process, and a checkpoint of gigabytes must survive a broken
line.
"""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from countersign.domain.errors import ModelError
from countersign.domain.model import ModelCard
from countersign.models.folder import pickles, records
from countersign.models.folder.download import Refused, Unreachable, Wanted

BESIDE = ("*.json", "*.txt", "*.model", "*.jinja")
"""Files taken along with the weights: configuration, vocabulary, tokenizer."""
_WEIGHTS = "*.safetensors"
_TIMEOUT = 20.0


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of a repository that a model needs, at one commit."""

    files: tuple[Wanted, ...]
    revision: str


def is_offline() -> bool:
    """Whether the user forbids the network: ``HF_HUB_OFFLINE`` or ``TRANSFORMERS_OFFLINE``."""
    return any(
        os.environ.get(name, "").strip().upper() in ("1", "ON", "YES", "TRUE")
        for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
    )


def endpoint() -> str:
    """Return the address of the hub: ``HF_ENDPOINT`` or the public one."""
    return (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")


def address(repository: str, name: str, revision: str = "main") -> str:
    """Return the address of one file."""
    from urllib.parse import quote

    return f"{endpoint()}/{repository}/resolve/{quote(revision, safe='')}/{quote(name)}"


def mirrored(url: str) -> str:
    """Return the address of a file of the public hub at the hub that ``HF_ENDPOINT`` names; any other as it is."""
    public = "https://huggingface.co"
    return endpoint() + url.removeprefix(public) if url.startswith(f"{public}/") else url


def page(repository: str) -> str:
    """Return the address of the page of a repository."""
    return f"{endpoint()}/{repository}"


def listing(card: ModelCard, *, pickles_allowed: Sequence[str] = ()) -> Listing:
    """Ask the hub what a card's repository holds and choose what the model needs.

    Raises Unreachable, Refused (a repository that is gated, hidden or gone), and ModelError where a file of the card is
    not there or is another, and where the weights are pickles that are not among ``pickles_allowed``.
    """
    info = _info(card)
    found = {item.rfilename: item for item in info.siblings or () if records.is_inside(item.rfilename)}
    names = [file.name for file in card.files if not file.url] or chosen(card.hub_id, list(found), pickles_allowed)
    published = {file.name: file.sha256.lower() for file in card.files}
    files = []
    for name in names:
        if name not in found:
            raise ModelError(f"the repository {card.hub_id} has no file {name}", remedy=f"See {page(card.hub_id)}.")
        item, known = found[name], published.get(name, "")
        sha256 = str(item.lfs.sha256) if item.lfs else ""
        if sha256 and known and not sha256.startswith(known):
            raise ModelError(
                f"{name} of {card.hub_id} has changed: its SHA-256 on the hub is {sha256}, the card of {card.name} "
                f"says {known}",
                remedy="Look at the repository's history before you use it.",
            )
        files.append(
            Wanted(
                name,
                address(card.hub_id, name, info.sha),
                sha256 or known,
                "" if item.lfs else str(item.blob_id or ""),
                int(item.size or 0),
                _headers(),
            )
        )
    return Listing(tuple(files), str(info.sha))


def chosen(repository: str, names: Sequence[str], pickles_allowed: Sequence[str] = ()) -> list[str]:
    """Choose from a repository's files what a model needs: one set of weights in safetensors, and what is beside it.

    Files in folders are other forms of the same weights, and are left. Raises ModelError where all weights are pickles.
    """
    top = [name for name in names if "/" not in name]
    beside = [name for name in top if any(fnmatch.fnmatch(name, pattern) for pattern in BESIDE)]
    weights = fnmatch.filter(top, _WEIGHTS)
    if "model.safetensors" in weights:
        weights = ["model.safetensors"]
    elif "model.safetensors.index.json" in beside:
        weights = fnmatch.filter(weights, "model-*-of-*.safetensors")
    refused = [name for name in top if pickles.may_be(name)]
    allowed = [name for name in names if name in set(pickles_allowed)]
    if unknown := [name for name in pickles_allowed if name not in names]:
        raise ModelError(f"the repository {repository} has no file {', '.join(unknown)}", remedy=f"It has "
                         f"{', '.join(refused) or 'no pickles'}.")  # fmt: skip
    if weights or allowed:
        return sorted({*beside, *(weights if not allowed else ()), *allowed})
    if refused:
        raise ModelError(
            f"the weights in {repository} are pickles ({', '.join(refused)}), which can run any code when opened",
            remedy=f"If you trust their author: --allow-pickle {refused[0]}",
        )
    raise ModelError(f"the repository {repository} has no weights in safetensors", remedy=f"See {page(repository)}.")


def _headers() -> dict[str, str]:
    from huggingface_hub import get_token

    token = get_token()
    return {"Authorization": f"Bearer {token}"} if token else {}


def _info(card: ModelCard) -> Any:
    from huggingface_hub import HfApi
    from huggingface_hub import errors as hub_errors

    revision = str(card.details.get("revision") or "") or None
    try:
        return HfApi(endpoint=endpoint()).model_info(
            card.hub_id, revision=revision, files_metadata=True, timeout=_TIMEOUT
        )
    except hub_errors.GatedRepoError as error:
        raise Refused(f"the hub refuses {card.hub_id}: it is gated", status=403, gated=True) from error
    except hub_errors.RepositoryNotFoundError as error:
        status = error.response.status_code if error.response is not None else 404
        raise Refused(f"the hub has no repository {card.hub_id}, or does not show it to you", status=status) from error
    except hub_errors.HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else 0
        if status in (401, 403):
            raise Refused(f"the hub refuses {card.hub_id}: {status}", status=status) from error
        raise Unreachable(f"the hub answered {status or 'nothing'} for {card.hub_id}",
                          remedy="Try again later.") from error  # fmt: skip
    except hub_errors.OfflineModeIsEnabled as error:
        raise Unreachable(f"the network is forbidden: {error}") from error
    except hub_errors.HFValidationError as error:
        raise ModelError(f"{card.hub_id!r} is no repository of the hub: {error}") from error
    except Exception as error:  # the transport is the library's own, with its own errors
        if isinstance(error, OSError) or type(error).__module__.partition(".")[0] in ("httpx", "httpx2", "requests"):
            raise Unreachable(f"{endpoint()} cannot be reached: {error}") from error
        raise
