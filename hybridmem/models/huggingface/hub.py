"""Models of the Hugging Face hub, by name: from its cache, or fetched. Whatever prevents that is one line."""

from __future__ import annotations

import re
from pathlib import Path

from hybridmem.core.errors import ModelNotFound

_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?")
_FILES = ["*.safetensors", "*.json", "*.model", "*.txt", "*.jinja"]
_NOT_FILES = ["*/*", "consolidated*"]
"""Files of other formats in folders of their own, and a second copy of the weights that Mistral's repositories hold."""
_ELSE = "or pass a model's folder, or 'bundled'"


def is_name(name: str) -> bool:
    """Whether `name` could be a model's on the hub, and no path."""
    return not name.startswith((".", "/", "~")) and _NAME.fullmatch(name) is not None


def cached(name: str) -> Path | None:
    """The folder in the hub's cache that holds `name`; None where nothing of it is there. Makes no request."""
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return _snapshot(name, local=True)
    except LocalEntryNotFoundError:
        return None
    except HFValidationError:
        raise ModelNotFound(f"{name!r} is neither a folder nor a hub name: pass a folder, or 'bundled'") from None


def fetched(name: str) -> Path:
    """The folder of `name`, fetched from the hub as far as it is not here. Raises `ModelNotFound`."""
    from huggingface_hub.errors import HTTPError, LocalEntryNotFoundError  # type: ignore[attr-defined]

    try:
        return _snapshot(name, local=False)
    except (LocalEntryNotFoundError, ConnectionError, HTTPError) as error:
        raise ModelNotFound(_message(name, error)) from None


def _snapshot(name: str, *, local: bool) -> Path:
    from huggingface_hub import snapshot_download

    return Path(snapshot_download(name, allow_patterns=_FILES, ignore_patterns=_NOT_FILES, local_files_only=local))


def _message(name: str, error: BaseException) -> str:
    """Why `name` could not be fetched, and what to do, in one line."""
    from huggingface_hub import constants
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
    )

    if isinstance(error, LocalEntryNotFoundError) and error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, GatedRepoError):  # The hub's kind of "not found" for what it shows to some.
        page = f"{constants.ENDPOINT}/{name}"
        return f"the model {name!r} is gated: request access on {page}, then log in with `hf auth login`, {_ELSE}"
    if isinstance(error, RepositoryNotFoundError):
        return f"the hub has no model {name!r}, or hides it: check its spelling, log in with `hf auth login`, {_ELSE}"
    if isinstance(error, HfHubHTTPError):
        status = error.response.status_code
        hint = {
            401: "the hub does not take your token: log in again with `hf auth login`",
            403: "your token may not read it: request access on its page, or log in with `hf auth login`",
            404: "check its spelling",
            429: "too many requests: try again later",
        }.get(status, "try again later")
        return f"the hub refused the model {name!r} (HTTP {status}): {hint}, {_ELSE}"
    if isinstance(error, OfflineModeIsEnabled):
        return f"{name!r} is not in the hub's cache, and HF_HUB_OFFLINE is set: unset it to fetch the model, {_ELSE}"
    return (
        f"{name!r} is no folder here, not in the hub's cache, and the hub cannot be reached: check the network, {_ELSE}"
    )
