"""What proving the ledger costs: folding and hashing a million entries, and reading them.

One member's life is made by the ledger's own rules: points that mature and run out, rewards
reserved and fulfilled, balances in many months. Ten thousand members get it, each under ids of his
own, so every entry has a hash of its own. Only following them is timed, by the very function that
the nightly reconciliation uses. Reading is another matter and stands apart: 50,000 entries through
the product's own query, from an engine in memory.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from infra.local import engine as engines
from models.base.clock import business_day, utc_text
from models.base.tables import Database, connection, use_database
from models.points import rules
from models.points.chains import START, Followed, follow
from models.points.checking import entries_after
from models.points.entities import Accounts, Entry, EntryKind, Legs
from models.points.posting import entry_row, wallet_row

MEMBERS, ENTRIES = 10_000, 100
READ_MEMBERS = 500
BATCH = 25
NOW = datetime(2026, 3, 18, 2, tzinfo=UTC)
AHEAD = timedelta(days=40)
"""Between the first acts: their points end in different months."""


def verify_1m() -> dict[str, float]:
    """``ledger.verify_1m_s``, ``ledger.read_50k_s`` and ``wallet.bytes_25_buckets``."""
    life = a_life()
    return {
        "ledger.verify_1m_s": verify_s(life),
        "ledger.read_50k_s": read_s(life),
        "wallet.bytes_25_buckets": float(wallet_bytes()),
    }


def verify_s(life: list[Entry], members: int = MEMBERS) -> float:
    """Seconds of one processor to follow everybody's entries; making them is not counted."""
    spent = 0.0
    for number in range(members):
        member_id = f"mem_{number:026d}"
        entries = list(lived(life, member_id))
        began = time.process_time()
        followed = follow(member_id, START, entries)
        spent += time.process_time() - began
        _need(followed, len(life))
    return spent


def read_s(life: list[Entry], members: int = READ_MEMBERS) -> float:
    """Seconds to read the entries of many members, one query each; putting them is not counted."""
    engine = engines.Engine().start()
    try:
        engines.create_tables(engine.url)
        place = Database(
            region=engines.REGION,
            endpoint_url=engine.url,
            access_key=engines.ACCESS_KEY,
            secret_key=engines.SECRET_KEY,
        )
        use_database(place)
        ids = [f"mem_{number:026d}" for number in range(members)]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda member_id: _put(list(lived(life, member_id))), ids))
        spent = 0.0
        for member_id in ids:
            began = time.perf_counter()
            entries = entries_after(member_id, 0)
            spent += time.perf_counter() - began
            _need(follow(member_id, START, entries), len(life))
        return spent
    finally:
        engine.stop()


def wallet_bytes() -> int:
    """The largest wallet that a member can have, as the service counts an item's size.

    Points in each of the 25 months that they can end in, some pending for every day of a week and
    for the next, some held, some owed, and frozen.
    """
    months = [rules.expiry_month(business_day(NOW), ahead) for ahead in range(25)]
    days = [business_day(NOW + timedelta(days=day)) for day in range(1, 9)]
    accounts = {
        **{f"{rules.AVAILABLE}{month}": 600 for month in months},
        **{f"{rules.PENDING}{day}:{months[-1]}": 600 for day in days},
        rules.HELD: 9_999,
        rules.DEBT: -500,
    }
    entry = replace(a_life()[-1], member_id=f"mem_{0:026d}", seq=1_000_000)
    row = wallet_row(entry, accounts)
    row.frozen_at = NOW
    return sum(len(name.encode()) + _size(value) for name, value in row.serialize().items())


def a_life() -> list[Entry]:
    """A hundred entries of one member, as the ledger's rules make them."""
    entries: list[Entry] = []
    accounts: Accounts = {}
    for number in range(ENTRIES):
        now = NOW + (min(number, 26) * AHEAD if number < 26 else 26 * AHEAD)
        now += timedelta(hours=number)
        today = business_day(now)
        rolled = rules.roll(accounts, today=today) if number >= 26 else {}
        kind, rule, own = _movement(number, rules.apply(accounts, rolled), today)
        legs = rules.merge(rolled, own)
        accounts = rules.apply(accounts, legs)
        inputs = {"day": today, "quantity": 1, "gross": 10, "totals": "totals@1", "granted": 10}
        source = {"case_id": f"case_{number:026d}", "inputs": inputs}
        entry = Entry(
            member_id="",
            seq=number + 1,
            transfer_id=f"trf_{number:026d}",
            kind=kind,
            rule=rule,
            county="411502",
            legs=legs,
            source=source,
            posted_at=now,
        )
        entries.append(entry)
    return entries


def lived(life: list[Entry], member_id: str) -> Iterator[Entry]:
    """The same life under another id, each entry hashed after the one before."""
    head = rules.GENESIS
    for entry in life:
        own = replace(entry, member_id=member_id, transfer_id=entry.transfer_id + member_id)
        head = rules.chain(head, own, posted_at=utc_text(own.posted_at))
        yield replace(own, hash=head)


def _movement(number: int, accounts: Accounts, today: str) -> tuple[EntryKind, str, Legs]:
    month = rules.expiry_month(today)
    step = number % 5 if number >= 26 else 0
    held = {rules.HELD: 3, f"{rules.AVAILABLE}{month}": -3}
    if step == 1:
        return EntryKind.HOLD, "", rules.hold(accounts, points=3)
    if step == 2:
        return EntryKind.SETTLE, "", rules.settle(held, reward_id="haircut")
    rule = "report.first@1" if step else "station.check_in@1"
    later = (datetime.fromisoformat(today) + timedelta(days=7)).date().isoformat()
    day = later if step == 3 else None
    return EntryKind.AWARD, rule, rules.award(accounts, points=10, rule=rule, month=month, day=day)


def _put(entries: list[Entry]) -> None:
    for start in range(0, len(entries), BATCH):
        rows = [entry_row(entry) for entry in entries[start : start + BATCH]]
        requests = [{"PutRequest": {"Item": row.serialize()}} for row in rows]
        answer = connection().client.batch_write_item(RequestItems={"entries": requests})
        if answer.get("UnprocessedItems"):
            raise RuntimeError("the engine did not take all entries")


def _need(followed: Followed, entries: int) -> None:
    if followed.faults or followed.point.version != entries:
        raise RuntimeError(f"the benchmark's own ledger is not sound: {followed.faults[:3]}")


def _size(value: dict[str, object]) -> int:
    """An attribute's size: text as UTF-8, two digits of a number to a byte and one more, three
    bytes for a map and one for each of its members. *Source:* DynamoDB's item size rules."""
    [(kind, content)] = value.items()
    if kind == "N":
        return (len(str(content).lstrip("-")) + 1) // 2 + 1 + str(content).startswith("-")
    if isinstance(content, dict):
        return 3 + sum(len(name.encode()) + _size(each) + 1 for name, each in content.items())
    return len(str(content).encode())
