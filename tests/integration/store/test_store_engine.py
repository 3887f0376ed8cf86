from __future__ import annotations

from countersign.store import Store


def test_open(store: Store) -> None:
    with store.read() as c:
        assert c.exec_driver_sql("select count(*) from label").scalar() == 0
