"""``countersign serve-model``: one model over HTTP, for other programs and for Countersign on other computers."""

from __future__ import annotations

import os

import click

from countersign.cli.options import common
from countersign.cli.session import Session, pass_session


@click.command("serve-model")
@click.argument("model")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for the network.")
@click.option("--port", type=click.IntRange(0, 65535), default=8400, show_default=True, help="Port; 0 for a free one.")
@click.option("--name", default="", help="Name to serve it under (if not given: its own).")
@click.option("--token", default="", help="Ask for this token  [env COUNTERSIGN_MODEL_TOKEN, which others cannot see]")
@click.option("--device", default=None, help="cpu, cuda ...  [default: the best there is]")
@click.option("--max-body", type=float, default=64.0, show_default=True, metavar="MB", help="Largest request.")
@click.option("--allow-local-urls", is_flag=True, help="Fetch images from private networks and this computer, too.")
@common
@pass_session
def serve_model(
    session: Session,
    model: str,
    host: str,
    port: int,
    name: str,
    token: str,
    device: str | None,
    max_body: float,
    allow_local_urls: bool,
) -> None:
    """Serve MODEL over HTTP: a name of the workspace, of the catalogue, a path, or a family's name.

    It is then http://HOST:PORT/NAME, which 'countersign run --model' and 'countersign models url add' take on any
    computer that reaches it. The model is loaded after the server has begun; /v1/health says when it is ready. Where
    it cannot be loaded the server ends with the reason. Ctrl-C ends it after the request in flight.
    """
    from countersign.server.model_app import ModelSettings
    from countersign.server.model_serving import serve

    token = token or os.environ.get("COUNTERSIGN_MODEL_TOKEN", "")
    settings = ModelSettings(host, port, token, max_body, allow_local_urls=allow_local_urls)

    def ready(url: str, served: str) -> None:
        data = {"url": url, "model": served, "health": f"{url.rpartition('/')[0]}/v1/health"}
        if session.out.data(data):
            return
        session.out.line(f"{served} is at {url}")
        if not token and host not in ("127.0.0.1", "::1", "localhost"):
            session.out.line("Anybody who can reach this address can use it: give a token where that is not wanted.")

    serve(
        session.open(create=True).store, model, settings, name=name, device=device, on_ready=ready,
        on_loaded=lambda: session.out.notice("The model is loaded."),
    )  # fmt: skip
