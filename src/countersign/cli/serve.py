"""``countersign serve``: the workbench in the browser."""

from __future__ import annotations

import click

from countersign.cli.options import common, names_option
from countersign.cli.session import Session, pass_session


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for the network.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port  [default: 8321, or the next free one]")
@click.option("--browser/--no-browser", default=True, help="Open the workbench in your browser.")
@names_option("--allow-host", metavar="NAME", help_text="Another name that requests may be addressed to.")
@click.option(
    "--allow-paths/--deny-paths",
    default=None,
    help="Let users import from, and export to, folders of this computer  [default: only on 127.0.0.1]",
)
@common
@pass_session
def serve(
    session: Session,
    /,
    host: str,
    port: int | None,
    browser: bool,
    allow_host: tuple[str, ...],
    allow_paths: bool | None,
) -> None:
    """Open the workbench in the browser.

    Prints a link that opens one session, once; the session of a browser lasts for 30 days, also when the server is
    started again. Programs use the token: countersign.connect(URL, TOKEN). Ctrl-C ends the server; runs and trainings
    go on.
    """
    from countersign.server.serving import Address, serve
    from countersign.server.settings import DEFAULT_PORT, Settings

    settings = Settings(host, DEFAULT_PORT if port is None else port, allow_host, allow_paths)
    workspace = session.open(create=True)

    def ready(address: Address) -> None:
        data = {"url": address.url, "link": address.link, "token": address.token, "workspace": str(workspace)}
        if session.out.data(data):
            return
        session.out.line(f"The workbench is at {address.link}")
        session.out.line(f"Token for programs: {address.token}")
        if not settings.local:
            session.out.line("Anybody who can reach this address and has the token can change everything in it.")
            session.out.line("It speaks plain HTTP: put a proxy with HTTPS before it where the network is not yours.")

    serve(workspace, settings, on_ready=ready, open_browser=browser)
