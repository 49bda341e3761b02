"""A member's own points."""

from __future__ import annotations

from typing import Any

from chalice.app import Blueprint

from handlers.http.endpoint import Call, Nothing, Reply, endpoint
from handlers.http.schemas.points import Balances, DayRoot, Entries, Export, Onward, Statement
from models.base.errors import NotFound
from models.points.entities import Balances as Held
from models.points.entities import Line
from models.points.exporting import Export as Exported
from models.points.reading import balances
from models.points.roots import root_of

blueprint = Blueprint(__name__)


@endpoint(blueprint, "GET", "/v1/points", answer=Balances)
def get_points(call: Call[Nothing, Nothing]) -> Reply:
    """Show the balances, and when points mature and expire."""
    return shown_balances(balances(call.actor.member_id, call.services.clock.now()))


@endpoint(blueprint, "GET", "/v1/points/entries", query=Entries, answer=Statement)
def list_entries(call: Call[Nothing, Entries]) -> Reply:
    """List what changed the points and why, newest first."""
    page = call.services.statements.page(
        call.actor.member_id,
        limit=call.query.limit,
        cursor=call.query.cursor,
        language=call.language,
    )
    return {"items": [shown_line(line) for line in page.items], "next_cursor": page.next_cursor}


@endpoint(blueprint, "GET", "/v1/points/export", query=Onward, answer=Export)
def export_points(call: Call[Nothing, Onward]) -> Reply:
    """Take the own ledger away, oldest first: entries exactly as hashed, wallet, and root."""
    found = call.services.exports.piece(call.actor.member_id, call.query.cursor)
    return shown_export(found)


@endpoint(blueprint, "GET", "/v1/points/roots/{day}", answer=DayRoot, is_open=True, errors=(404,))
def get_root(call: Call[Nothing, Nothing]) -> Reply:
    """Show the root of a day, which vouches for everybody's ledger: the same to everyone."""
    row = root_of(call.params["day"])
    if row is None:
        raise NotFound("root.not_found")
    return {
        "day": row.day,
        "root": row.root,
        "previous": row.previous,
        "wallets": row.wallets,
        "entries": row.entries,
    }


def shown_export(found: Exported) -> dict[str, Any]:
    """A piece of the export: what ``infra/prove/verify_statement.py`` reads, key by key."""
    wallet, root = found.wallet, found.root
    return {
        "member_id": found.member_id,
        "entries": [{"body": entry.body, "hash": entry.hash} for entry in found.entries],
        "wallet": wallet
        and {
            "version": wallet.version,
            "head": wallet.head,
            "accounts": dict(wallet.accounts),
            "balances": dict(wallet.balances),
        },
        "root": root
        and {
            "day": root.day,
            "version": root.version,
            "path": list(root.path),
            "previous": root.previous,
            "root": root.root,
        },
        "next_cursor": found.next_cursor,
    }


def shown_line(line: Line) -> dict[str, Any]:
    """A line of the statement."""
    return {
        "seq": line.seq,
        "at": line.posted_at,
        "kind": line.kind.value,
        "reason": line.reason,
        "available": line.available,
        "pending": line.pending,
        "held": line.held,
        "debt": line.debt,
        "expired": line.expired,
        "rule": line.rule,
        "gross": line.gross,
        "limit": line.limit,
        "appeal_until": line.appeal_until,
        "source": {name: str(value) for name, value in line.source.items()},
        "hash": line.hash,
    }


def shown_balances(found: Held) -> dict[str, Any]:
    """The balances, as everybody is shown his own."""
    return {
        "available": found.available,
        "pending": found.pending,
        "held": found.held,
        "debt": found.debt,
        "buckets": [{"last_day": b.last_day, "points": b.points} for b in found.buckets],
        "maturing": [{"day": m.day, "points": m.points} for m in found.maturing],
        "frozen": found.is_frozen,
    }
