"""The PostgreSQL database that tests may write to, where HYBRIDMEM_TEST_POSTGRESQL names one by its URL."""

from __future__ import annotations

import os

import pytest

from hybridmem.stores.ledger.sql import tables
from hybridmem.stores.ledger.sql.ledger import SqlLedger

URL = os.environ.get("HYBRIDMEM_TEST_POSTGRESQL", "")
needed = pytest.mark.skipif(not URL, reason="HYBRIDMEM_TEST_POSTGRESQL names no database")


def emptied() -> SqlLedger:
    """The ledger in that database, with nothing in it."""
    ledger = SqlLedger(URL)
    with ledger._database.write() as connection:
        for table in tables.metadata.tables.values():
            if table.name == "counters":
                connection.execute(table.update().values(value=0))
            else:
                connection.exec_driver_sql(f"TRUNCATE {table.name} CASCADE")
    return ledger
