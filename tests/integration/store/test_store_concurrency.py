"""Two writers and a reader, each a process of its own: nobody is refused, nothing is lost, nothing is half done."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import concurrent_work
import pytest
from store_samples import sample
from test_store_labels import check_summary

from countersign.store import Store, fields

ROUNDS = 24


@pytest.mark.slow
def test_two_writers_and_a_reader(workspace: str, tmp_path: Path) -> None:
    with Store.open(workspace, blobs=tmp_path / "blobs") as store:
        with store.write() as c:
            s = sample(c, 30)

        def start(kind: str, last: object) -> subprocess.Popen[str]:
            command = [sys.executable, concurrent_work.__file__, kind, workspace, str(tmp_path / "blobs")]
            return subprocess.Popen(
                [*command, str(s.field), str(last)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
            )

        ended = tmp_path / "ended"
        reader = start("reader", ended)
        writers = [start("writer", ROUNDS) for _ in range(2)]
        said = [process.communicate(timeout=300)[0] for process in writers]
        ended.touch()
        said.append(reader.communicate(timeout=300)[0])
        assert [process.returncode for process in (*writers, reader)] == [0, 0, 0], "\n".join(said)
        assert said[:2] == ["", ""]
        assert int(said[2]) > 0
        with store.read() as c:
            (summary,) = fields.list_all(c, s.project)
        each = ROUNDS * concurrent_work.BATCH - ROUNDS // 3 - ROUNDS // 3 * concurrent_work.BATCH
        assert summary.labels == 2 * each
    with Store.open(workspace, blobs=tmp_path / "blobs") as store:
        check_summary(store, s.field)
