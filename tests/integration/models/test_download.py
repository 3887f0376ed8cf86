"""One file by its address: broken lines, changed files, wrong contents, full disks."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections import namedtuple
from pathlib import Path

import pytest

from countersign.domain.errors import Cancelled, ModelError
from countersign.models.folder import download
from countersign.models.folder.download import Refused, Unreachable, Wanted, fetch, part_of
from weights_server import WeightsServer

CONTENT = os.urandom(3_000_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def wanted(server: WeightsServer) -> Wanted:
    server.files["w.bin"] = CONTENT
    return Wanted("w.bin", f"{server.url}/files/w.bin", SHA256)


def test_fetch(wanted: Wanted, tmp_path: Path) -> None:
    told: list[int] = []

    assert fetch(wanted, tmp_path / "w.bin", told.append) == SHA256
    assert (tmp_path / "w.bin").read_bytes() == CONTENT
    assert sum(told) == len(CONTENT)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["w.bin"]


def test_fetch__is_there_already(server: WeightsServer, wanted: Wanted, tmp_path: Path) -> None:
    (tmp_path / "w.bin").write_bytes(CONTENT)

    assert fetch(wanted, tmp_path / "w.bin") == SHA256
    assert not server.asked


def test_fetch__goes_on_after_broken_lines(server: WeightsServer, wanted: Wanted, tmp_path: Path) -> None:
    server.faults["w.bin"] = [-1_000_000, 503, -500_000, 500]
    told: list[int] = []

    fetch(wanted, tmp_path / "w.bin", told.append)

    starts = [item.start for item in server.fetched("w.bin")]
    assert starts == [None, 1_000_000, 1_000_000, 1_500_000, 1_500_000]
    assert sum(told) == len(CONTENT)


def test_fetch__goes_on_in_another_process(server: WeightsServer, wanted: Wanted, tmp_path: Path) -> None:
    """Killed at once in the middle: nothing that came is lost."""
    reached, release = threading.Event(), threading.Event()

    def hold() -> None:
        reached.set()
        release.wait(30)

    server.faults["w.bin"] = [-2_000_000, hold]
    code = (
        "import sys; from pathlib import Path; from countersign.models.folder.download import Wanted, fetch\n"
        "fetch(Wanted('w.bin', sys.argv[1], sys.argv[2]), Path(sys.argv[3]))"
    )
    process = subprocess.Popen([sys.executable, "-c", code, wanted.url, SHA256, str(tmp_path / "w.bin")])
    assert reached.wait(60)
    process.send_signal(signal.SIGKILL)
    process.wait()
    release.set()

    assert part_of(tmp_path / "w.bin").stat().st_size == 2_000_000
    fetch(wanted, tmp_path / "w.bin")
    assert server.fetched("w.bin")[-1].start == 2_000_000


def test_fetch__a_server_without_ranges(server: WeightsServer, wanted: Wanted, tmp_path: Path) -> None:
    server.faults["w.bin"] = [-1000, "whole"]
    told: list[int] = []

    fetch(wanted, tmp_path / "w.bin", told.append)

    assert (tmp_path / "w.bin").read_bytes() == CONTENT
    assert sum(told) == len(CONTENT)


def test_fetch__the_file_changed_meanwhile(server: WeightsServer, tmp_path: Path) -> None:
    server.files["w.bin"] = CONTENT
    server.faults["w.bin"] = [-1000, *([404] * 1)]
    wanted = Wanted("w.bin", f"{server.url}/files/w.bin")
    with pytest.raises(Refused):
        fetch(wanted, tmp_path / "w.bin")
    server.files["w.bin"] = other = os.urandom(5000)

    fetch(wanted, tmp_path / "w.bin")

    assert (tmp_path / "w.bin").read_bytes() == other


def test_fetch__a_part_of_something_else(server: WeightsServer, wanted: Wanted, tmp_path: Path) -> None:
    part_of(tmp_path / "w.bin").write_bytes(b"not this file")

    assert fetch(wanted, tmp_path / "w.bin") == SHA256
    assert [item.start for item in server.fetched("w.bin")] == [13, None]


def test_fetch__the_part_is_complete(server: WeightsServer, wanted: Wanted, tmp_path: Path) -> None:
    part_of(tmp_path / "w.bin").write_bytes(CONTENT)

    assert fetch(wanted, tmp_path / "w.bin") == SHA256


def test_fetch__a_wrong_content(server: WeightsServer, wanted: Wanted, tmp_path: Path) -> None:
    server.files["w.bin"] = b"<html>Please sign in to the hotel's network</html>"

    with pytest.raises(ModelError, match=rf"w\.bin: what .* gave has the SHA-256 \w+, not {SHA256}"):
        fetch(wanted, tmp_path / "w.bin")

    assert not list(tmp_path.glob("w.bin*"))


def test_fetch__a_prefix_of_the_checksum(wanted: Wanted, tmp_path: Path) -> None:
    assert fetch(Wanted("w.bin", wanted.url, SHA256[:8].upper()), tmp_path / "w.bin") == SHA256


@pytest.mark.parametrize("status", [401, 403, 404])
def test_fetch__refused(server: WeightsServer, wanted: Wanted, tmp_path: Path, status: int) -> None:
    server.faults["w.bin"] = [status] * 9

    with pytest.raises(Refused, match=f"w.bin is refused: {status}") as caught:
        fetch(wanted, tmp_path / "w.bin")

    assert caught.value.status == status
    assert len(server.fetched("w.bin")) == 1


def test_fetch__a_server_that_fails_all_the_time(server: WeightsServer, wanted: Wanted, tmp_path: Path) -> None:
    server.faults["w.bin"] = [500] * 99

    with pytest.raises(Unreachable, match="the server answered 500"):
        fetch(wanted, tmp_path / "w.bin")

    assert len(server.fetched("w.bin")) == download.TRIES


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/w.bin", "http://no-such-host.invalid/w.bin", "file:///etc/passwd"])
def test_fetch__nobody_there(url: str, tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="cannot be fetched"):
        fetch(Wanted("w.bin", url), tmp_path / "w.bin")


def test_fetch__no_room(wanted: Wanted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9 - 1000, 1000))

    with pytest.raises(ModelError, match=r"there is no room for w\.bin .*COUNTERSIGN_MODELS"):
        fetch(wanted, tmp_path / "w.bin")


def test_fetch__stopped_by_its_caller(server: WeightsServer, wanted: Wanted, tmp_path: Path) -> None:
    """What is told of is in the file: the next call goes on there."""
    told = 0

    def stop(count: int) -> None:
        nonlocal told
        told += count
        if told > 1_000_000:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        fetch(wanted, tmp_path / "w.bin", stop)
    assert part_of(tmp_path / "w.bin").stat().st_size == told

    fetch(wanted, tmp_path / "w.bin")
    assert server.fetched("w.bin")[-1].start == told
