"""A ledger of one's own: tables under a prefix that no other test uses, for work on everybody."""

from __future__ import annotations

from infra.local import engine as engines
from models.base.ids import new_id
from models.base.tables import Database, use_database

LEDGER = ("wallets", "entries", "transfers", "point-")


def own_ledger(engine: engines.Engine) -> Database:
    """Make the ledger's tables anew on a running engine, and point the product at them."""
    prefix = f"{new_id('t')}-"
    service = engines.client(engine.url)
    for definition in engines.table_definitions(prefix):
        if definition["TableName"].removeprefix(prefix).startswith(LEDGER):
            service.create_table(**definition)
    place = Database(
        region=engines.REGION,
        endpoint_url=engine.url,
        prefix=prefix,
        access_key=engines.ACCESS_KEY,
        secret_key=engines.SECRET_KEY,
    )
    use_database(place)
    return place
