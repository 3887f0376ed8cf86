"""Serving a model over our own contract for real, from a thread of the tests."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn

from countersign.models.contract import Anything
from countersign.server.model_app import ModelSettings, make_model_app
from countersign.server.serving import listen
from countersign.server.settings import Settings


@contextmanager
def served(name: str, load: Callable[[], Anything], *, token: str = "", port: int = 0) -> Iterator[str]:
    """Serve a model under a name until the block ends. Gives the address of the server; the model may still load."""
    listener = listen(Settings(port=port))
    app = make_model_app(name, load, ModelSettings(token=token))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
