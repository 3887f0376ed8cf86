"""How a server is to run. Values only."""

from __future__ import annotations

import ipaddress
import os
import socket
from dataclasses import dataclass, field

DEFAULT_PORT = 8321
LOCAL = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Settings:
    """``hosts`` are names that requests may be addressed to besides the usual ones; see ``auth``.

    ``allow_paths``: whether clients may name folders and files of this computer; by default only where the
    server is bound to this computer alone.
    """

    host: str = LOCAL
    port: int = DEFAULT_PORT
    hosts: tuple[str, ...] = ()
    allow_paths: bool | None = None
    poll_s: float = field(default_factory=lambda: float(os.environ.get("COUNTERSIGN_POLL", "0.5")))

    @property
    def local(self) -> bool:
        """Whether only this computer can reach the server."""
        return is_loopback(self.host)

    @property
    def paths_allowed(self) -> bool:
        return self.local if self.allow_paths is None else self.allow_paths

    @property
    def names(self) -> frozenset[str]:
        """Host names (no addresses) that requests may be addressed to, in lower case."""
        names = {"localhost", *(name.lower() for name in self.hosts)}
        if not self.local:
            own = socket.gethostname().lower()
            names |= {own, own.partition(".")[0], self.host.lower()}
        return frozenset(names)


def is_loopback(host: str) -> bool:
    """Whether a host is this computer itself, seen from itself."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
