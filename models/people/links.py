"""Who is close to whom: relatives that an admin declared, and accounts that had one phone.

It stands beside the phone and not with the cases that ask for it, because binding a phone is where
it is learnt. A link keeps an official from what somebody close to him reported; it costs nobody
points and is no reproach. WeChat gives one account of the mini-program to one ``unionid``, so that
two accounts of one person show by their phone alone.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from pynamodb.expressions.condition import Condition

from models.base.clock import utc_text
from models.base.store import Transaction, get, get_many, retrying
from models.base.tables import Table
from models.people.accounts import commit_or_stale, load_phone
from models.people.importing import FIRST_LINE, ImportReport
from models.people.link_tables import LinkRow
from models.people.tables import SCHEMA

log = logging.getLogger(__name__)

MAX_OTHERS = 500
"""More is a mistake in a file, and would make the row slow for everybody who asks."""


class Why(StrEnum):
    """What ties two together; ``BOUND`` ties a phone to a member."""

    BOUND = "bound"
    SAME_PHONE = "same_phone"
    RELATIVE = "relative"
    HOUSEHOLD = "household"
    BUSINESS = "business"


DECLARED = (Why.RELATIVE, Why.HOUSEHOLD, Why.BUSINESS)
NONE = "none"
"""In a file: what was declared of the two holds no longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """One line of an admin's file; ``why`` None ends what was declared."""

    phone_key: str
    other_key: str
    why: Why | None


def linked_to(member_id: str) -> frozenset[str]:
    """The members close to one. One strong read. Raises ``Unavailable``."""
    return others_of(get(LinkRow, member_id))


def others_of(row: Table | None) -> frozenset[str]:
    """The same from a row that was read with others; nobody without one."""
    return frozenset(row.others) if isinstance(row, LinkRow) else frozenset()


def had_one_phone(member_id: str, other_id: str) -> bool:
    """Whether two members ever bound one phone: very likely one person. One strong read."""
    known = _kept(get(LinkRow, member_id)).get(other_id, {})
    return bool(known.get("why") == Why.SAME_PHONE)


def is_close(name: str, member_id: str) -> bool:
    """Whether ``name`` is the member, or somebody close to him. Two strong reads, as a rule.

    ``name`` is a member's id or a phone's key; any other is close to nobody.
    """
    row = get(LinkRow, name)
    selves = {name, *_owners(row)}
    return member_id in selves | others_of(row) or any(
        member_id in linked_to(one) for one in selves - {name}
    )


def record_phone(phone_key: str, member_id: str, now: datetime) -> None:
    """Remember that a member has this phone; link him to who had it before, and to his own.

    The phone's row first: of two who bind phones that belong together, the later one finds the
    earlier. Safe to repeat.
    """
    retrying(lambda: _tie((phone_key, member_id, Why.BOUND), now=now, one_way=True))
    held = _kept(get(LinkRow, phone_key))
    for other, known in held.items():
        if known["why"] == Why.BOUND:
            _link(member_id, other, Why.SAME_PHONE, now)
    near = {key: Why(known["why"]) for key, known in held.items() if known["why"] != Why.BOUND}
    rows = get_many([(LinkRow, (key,)) for key in near]) if near else []
    for (_, why), row in zip(near.items(), rows, strict=True):
        for other in _owners(row):
            _link(member_id, other, why, now)


def import_links(
    rows: Iterable[Mapping[str, str | None]], *, now: datetime, actor: str
) -> ImportReport:
    """Take in which phones belong to people close to one another; a refused line stops it whole.

    Columns ``phone_key``, ``other_phone_key`` and ``why``: relative, household, business; or none,
    which ends what was declared. The file adds to what is known. It holds keyed hashes of phones,
    never phones, and a phone that nobody has bound yet counts from when somebody does. Safe to
    repeat. ``actor`` names the post that imports.
    """
    lines, refused = _judge(rows)
    if refused:
        return ImportReport(refused=refused)
    counts = {True: 0, False: 0}
    for line in lines:
        if _declare(line, now):
            counts[line.why is not None] += 1
    log.info("links.imported", extra={"added": counts[True], "by": actor})
    return ImportReport(added=counts[True], removed=counts[False])


def _judge(
    rows: Iterable[Mapping[str, str | None]],
) -> tuple[list[Declared], tuple[tuple[int, str], ...]]:
    lines: list[Declared] = []
    refused: list[tuple[int, str]] = []
    for number, columns in enumerate(rows, FIRST_LINE):
        one, other = (columns.get(name) or "" for name in ("phone_key", "other_phone_key"))
        why = columns.get("why") or ""
        if not one or not other or one == other:
            refused.append((number, "link.needs_two"))
        elif why not in (*DECLARED, NONE):
            refused.append((number, "link.unknown_why"))
        else:
            known = None if why == NONE else Why(why)
            lines.append(Declared(phone_key=one, other_key=other, why=known))
    return lines, tuple(refused)


def _declare(line: Declared, now: datetime) -> bool:
    """Write one line, and what follows for the members behind both phones."""
    one, other, why = line.phone_key, line.other_key, line.why
    before = _kept(get(LinkRow, one)).get(other)
    if why is None:
        retrying(lambda: _untie(one, other))
        for first in _owners(get(LinkRow, one)):
            for second in _owners(get(LinkRow, other)):
                _unlink(first, second)
        return before is not None
    retrying(lambda: _tie((one, other, why), now=now))
    for phone_key in (one, other):
        member_id = load_phone(phone_key).member_id
        if member_id is not None:
            record_phone(phone_key, member_id, now)
    return before is None or before["why"] != why


def _link(one: str, other: str, why: Why, now: datetime) -> None:
    if one != other:
        retrying(lambda: _tie((one, other, why), now=now))


def _unlink(one: str, other: str) -> None:
    known = _kept(get(LinkRow, one)).get(other)
    if known is not None and known["why"] in DECLARED:
        retrying(lambda: _untie(one, other))


def _tie(tie: tuple[str, str, Why], *, now: datetime, one_way: bool = False) -> None:
    """Write a tie on both rows at once (``one_way``: on the first alone), unless it stands."""
    one, other, why = tie
    tx, is_changed = Transaction(), False
    for who, whom in ((one, other),) if one_way else ((one, other), (other, one)):
        row = get(LinkRow, who)
        others = _kept(row)
        # That two had one phone is a fact, and is not lost when an admin names it otherwise.
        stands = others.get(whom, {}).get("why")
        if stands in (why, Why.SAME_PHONE) or len(others) >= MAX_OTHERS:
            continue
        _write(tx, who, row, {**others, whom: {"why": why.value, "at": utc_text(now)}})
        is_changed = True
    if is_changed:
        commit_or_stale(tx)


def _untie(one: str, other: str) -> None:
    tx, is_changed = Transaction(), False
    for who, whom in ((one, other), (other, one)):
        row = get(LinkRow, who)
        others = _kept(row)
        if others.pop(whom, None) is not None:
            _write(tx, who, row, others)
            is_changed = True
    if is_changed:
        commit_or_stale(tx)


def _write(tx: Transaction, who: str, row: LinkRow | None, others: Mapping[str, Any]) -> None:
    unchanged: Condition = LinkRow.version.does_not_exist()
    if row is not None:
        unchanged = LinkRow.version == row.version
    written = LinkRow(
        who, schema=SCHEMA, version=row.version + 1 if row else 1, others=dict(others)
    )
    tx.put(who, written, unchanged)


def _kept(row: Table | None) -> dict[str, Any]:
    return dict(row.others) if isinstance(row, LinkRow) else {}


def _owners(row: Table | None) -> list[str]:
    """The members that ever bound a phone."""
    return [other for other, known in _kept(row).items() if known["why"] == Why.BOUND]
