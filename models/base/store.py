"""One state change, one transaction: building it, sending it, telling apart why it was refused.

A ``Transaction`` collects named writes. ``commit`` either applies all of them or raises
``Refused`` with the names whose conditions failed and the rows that stood there. Conflicts with
other transactions are never a refusal: nothing was written, so the same request is sent again,
after a random pause. When the reply is lost the request is sent again too; its guard
(a put of a row that must not exist) then finds its own first run, which the caller answers as such.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

from botocore.exceptions import BotoCoreError
from pynamodb.exceptions import PynamoDBException, TransactWriteError, VerboseClientError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from models.base.errors import Unavailable
from models.base.tables import Table, connection

READ_AT_ONCE = 100
"""As many keys as the service takes in one batch read."""
TRIES = 10
FIRST_PAUSE_S = 0.02
LONGEST_PAUSE_S = 1.0

_PASSING = {
    "TransactionConflict",
    "TransactionConflictException",
    "TransactionInProgressException",
    "ThrottlingError",
    "ThrottlingException",
    "ProvisionedThroughputExceeded",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "InternalServerError",
    "ServiceUnavailable",
}

_Row = TypeVar("_Row", bound=Table)
_Result = TypeVar("_Result")
_Mark: TypeAlias = tuple[str, tuple[tuple[tuple[str, Any], ...], ...]]


class Refused(Exception):
    """Conditions failed and nothing was written. ``name in refused`` asks for one write."""

    def __init__(self, rows: Mapping[str, Mapping[str, Any] | None]) -> None:
        self._rows = dict(rows)
        super().__init__(", ".join(rows))

    def __contains__(self, name: object) -> bool:
        return name in self._rows

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._rows)

    def row(self, name: str, table: type[_Row]) -> _Row | None:
        """The row that made the condition of write ``name`` fail; None if there was none."""
        raw = self._rows.get(name)
        return table.from_raw_data(dict(raw)) if raw else None


class Stale(Exception):
    """What was read has changed before the write: read and decide again."""


class Transaction:
    """Up to 100 writes that happen together or not at all; each item at most once."""

    def __init__(self) -> None:
        self._checks: list[tuple[str, type[Table], tuple[Any, ...], Condition]] = []
        self._deletes: list[tuple[str, Table, Condition | None]] = []
        self._puts: list[tuple[str, Table, Condition | None]] = []
        self._updates: list[tuple[str, Table, Sequence[Action], Condition | None]] = []

    def check(self, name: str, table: type[Table], *key: Any, condition: Condition) -> None:
        """Require a condition on a row that is not written."""
        self._checks.append((name, table, key, condition))

    def delete(self, name: str, row: Table, condition: Condition | None = None) -> None:
        """Delete a row."""
        self._deletes.append((name, row, condition))

    def put(self, name: str, row: Table, condition: Condition | None = None) -> None:
        """Write a whole row; for an existing one with attributes of others use ``update``."""
        self._puts.append((name, row, condition))

    def guard(self, name: str, row: Table) -> None:
        """Put a row that must not exist yet: the repeated command finds it standing there."""
        self._puts.append((name, row, _absent(type(row))))

    def update(
        self, name: str, row: Table, actions: Sequence[Action], condition: Condition | None = None
    ) -> None:
        """Change attributes of a row (only its key is read from ``row``)."""
        self._updates.append((name, row, actions, condition))

    def commit(self) -> None:
        """Apply everything. Raises ``Refused``; ``Unavailable`` when the outcome stays unknown."""
        names = self._names()
        for attempt in range(TRIES):
            try:
                self._send()
            except TransactWriteError as error:
                refused = _refusal(names, error)
                if refused is not None:
                    raise refused from error
            except (PynamoDBException, BotoCoreError) as error:
                if not _is_passing(error):
                    raise
            else:
                return
            _pause(attempt)
        raise Unavailable("store.busy")

    def _names(self) -> list[str]:
        # DynamoDB gives its reasons in the order sent, which is pynamodb's, not ours:
        # checks, deletes, puts, updates.
        groups: tuple[Sequence[tuple[Any, ...]], ...] = (
            self._checks,
            self._deletes,
            self._puts,
            self._updates,
        )
        names: list[str] = [write[0] for group in groups for write in group]
        if len(set(names)) != len(names):
            raise ValueError(f"two writes of one name: {names}")
        return names

    def _send(self) -> None:
        with TransactWrite(connection=connection()) as batch:
            for _, table, key, required in self._checks:
                batch.condition_check(table, *key, condition=required)  # type: ignore[misc]
            for _, row, condition in self._deletes:
                batch.delete(row, condition=condition)
            # pynamodb offers to return the row that refused for puts and updates only.
            for write in (*batch._condition_check_items, *batch._delete_items):
                write["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
            for _, row, condition in self._puts:
                batch.save(row, condition=condition, return_values="ALL_OLD")
            for _, row, actions, condition in self._updates:
                batch.update(
                    row, actions=list(actions), condition=condition, return_values="ALL_OLD"
                )


def retrying(decide: Callable[[], _Result]) -> _Result:
    """Run ``decide`` (read, judge, commit) until it does not raise ``Stale``; at most 10 times.

    Raises ``Unavailable`` when others were always quicker.
    """
    for attempt in range(TRIES):
        try:
            return decide()
        except Stale:
            _pause(attempt)
    raise Unavailable("store.busy")


def get(table: type[_Row], *key: Any) -> _Row | None:
    """Read one row strongly; None when there is none. Raises ``Unavailable``."""
    try:
        return table.get(*key, consistent_read=True)  # type: ignore[misc]
    except Model.DoesNotExist:
        return None
    except (PynamoDBException, BotoCoreError) as error:
        raise _as_unavailable(error) from error


def query(source: Any, key: Any, condition: Condition | None = None, **how: Any) -> list[Any]:
    """List the rows of one partition of a table (strongly) or of an index, page after page.

    ``how`` goes to pynamodb's query. Raises ``Unavailable``. For partitions known to be small.
    """
    how = {"page_size": 100, "consistent_read": isinstance(source, type), **how}
    try:
        return list(source.query(key, condition, **how))
    except (PynamoDBException, BotoCoreError) as error:
        raise _as_unavailable(error) from error


def page_of(
    source: Any, key: Any, *, limit: int, after: dict[str, Any] | None = None, **how: Any
) -> tuple[list[Any], dict[str, Any] | None]:
    """One page of a partition, newest first, and where the next begins (None: nowhere).

    ``how`` goes to pynamodb's query. Raises ``Unavailable``.
    """
    how = {"scan_index_forward": False, "consistent_read": isinstance(source, type), **how}
    try:
        found = source.query(key, limit=limit, page_size=limit, last_evaluated_key=after, **how)
        return list(found), found.last_evaluated_key
    except (PynamoDBException, BotoCoreError) as error:
        raise _as_unavailable(error) from error


def scan(table: type[_Row], **how: Any) -> list[_Row]:
    """List a whole table strongly: only for tables that are nearly empty, and never in a request.

    Raises ``Unavailable``.
    """
    try:
        return list(table.scan(page_size=100, consistent_read=True, **how))
    except (PynamoDBException, BotoCoreError) as error:
        raise _as_unavailable(error) from error


def scan_page(
    table: type[_Row], *, limit: int, after: dict[str, Any] | None = None
) -> tuple[list[_Row], dict[str, Any] | None]:
    """One page of a whole table, strongly, and where the next begins (None: nowhere).

    For work that goes through everything, page by page, and can go on where it stopped. Raises
    ``Unavailable``.
    """
    try:
        found = table.scan(
            limit=limit, page_size=limit, last_evaluated_key=after, consistent_read=True
        )
        return list(found), found.last_evaluated_key
    except (PynamoDBException, BotoCoreError) as error:
        raise _as_unavailable(error) from error


def get_many(keys: Sequence[tuple[type[Table], tuple[Any, ...]]]) -> list[Table | None]:
    """Read rows of any tables strongly, a hundred in one call; None where there is no row.

    Each is as fresh as a strong read, but they are not one snapshot: decide on conditions.
    """
    found: dict[_Mark, dict[str, Any]] = {}
    places = [_place_of(table, key) for table, key in keys]
    parts = {name: tuple(key) for _, name, key in places}
    for start in range(0, len(places), READ_AT_ONCE):
        for name, rows in _fetch(_wanted(places[start : start + READ_AT_ONCE])).items():
            found |= {_mark(name, raw, parts[name]): raw for raw in rows}
    return [
        table.from_raw_data(raw) if (raw := found.get(_mark(name, key, parts[name]))) else None
        for table, name, key in places
    ]


def get_together(keys: Sequence[tuple[type[Table], tuple[Any, ...]]]) -> list[Table | None]:
    """Read up to a hundred rows as they stood at one instant; None where there is no row.

    No transaction is seen half: what one wrote is in all of the rows or in none. One call, two read
    units for each row of 4 KB. Where it meets a transaction it is sent again. Raises
    ``Unavailable``.
    """
    places = [_place_of(table, key) for table, key in keys]
    wanted = [{"Get": {"TableName": name, "Key": raw}} for _, name, raw in places]
    for attempt in range(TRIES):
        try:
            answer = connection().dispatch("TransactGetItems", {"TransactItems": wanted})
        except (VerboseClientError, BotoCoreError) as error:
            if not _met_another(error):
                raise _as_unavailable(error) from error
        else:
            found = [one.get("Item") for one in answer["Responses"]]
            return [
                table.from_raw_data(raw) if raw else None
                for (table, _, _), raw in zip(places, found, strict=True)
            ]
        _pause(attempt)
    raise Unavailable("store.busy")


def _met_another(error: Exception) -> bool:
    """Whether a read of several rows met a transaction; the SDK does not send it again."""
    reasons = getattr(error, "cancellation_reasons", ())
    return any(reason is not None and reason.code in _PASSING for reason in reasons)


def _place_of(table: type[Table], key: tuple[Any, ...]) -> tuple[type[Table], str, dict[str, Any]]:
    """A row as the service is asked for it: its table's name and its raw key."""
    name = table._get_connection().table_name
    raw: dict[str, Any] = connection().get_identifier_map(name, *key)["Key"]
    return table, name, raw


def _mark(name: str, raw: Mapping[str, Any], parts: Sequence[str]) -> _Mark:
    """What tells a row from all others: its table's name, and the values of its key."""
    return name, tuple(tuple(raw[part].items()) for part in parts)


def _wanted(places: Sequence[tuple[type[Table], str, dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    wanted: dict[str, dict[str, Any]] = {}
    for _, name, raw in places:
        keys = wanted.setdefault(name, {"Keys": [], "ConsistentRead": True})["Keys"]
        if raw not in keys:  # a key that is asked for twice is refused
            keys.append(raw)
    return wanted


def _fetch(wanted: dict[str, dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for attempt in range(TRIES):
        try:
            answer = connection().dispatch("BatchGetItem", {"RequestItems": wanted})
        except (VerboseClientError, BotoCoreError) as error:
            raise _as_unavailable(error) from error
        for name, rows in answer["Responses"].items():
            found.setdefault(name, []).extend(rows)
        wanted = answer.get("UnprocessedKeys") or {}
        if not wanted:
            return found
        _pause(attempt)
    raise Unavailable("store.busy")


def update_if(row: Table, actions: Sequence[Action], condition: Condition) -> bool:
    """Change one row under a condition; False when the condition failed.

    Safe to repeat only where the condition turns false by the change itself: then a reply that was
    lost reads as False, and the caller looks again.
    """
    return _written(lambda: row.update(actions=list(actions), condition=condition))


def change(row: Table, actions: Sequence[Action]) -> None:
    """Change one row (or make it) without a condition; repeating must do no harm."""
    _written(lambda: row.update(actions=list(actions)))


def delete(row: Table) -> None:
    """Delete one row; repeating does nothing."""
    _written(row.delete)


def put_if_absent(row: Table) -> bool:
    """Put one row; False when one with its key stands there already."""
    return _written(lambda: row.save(condition=_absent(type(row))))


def _absent(table: type[Table]) -> Condition:
    condition: Condition = table._hash_key_attribute().does_not_exist()  # type: ignore[no-untyped-call]
    return condition


def _written(write: Callable[[], object]) -> bool:
    for attempt in range(TRIES):
        try:
            write()
        except (PynamoDBException, BotoCoreError) as error:
            if _code(error) == "ConditionalCheckFailedException":
                return False
            if not _is_passing(error):
                raise
        else:
            return True
        _pause(attempt)
    raise Unavailable("store.busy")


def _refusal(names: Sequence[str], error: TransactWriteError) -> Refused | None:
    reasons = error.cancellation_reasons
    if not reasons or any(reason is not None and reason.code in _PASSING for reason in reasons):
        if reasons or _is_passing(error):
            return None
        raise error
    failed = {
        name: reason.raw_item
        for name, reason in zip(names, reasons, strict=True)
        if reason is not None and reason.code == "ConditionalCheckFailed"
    }
    if not failed:
        raise error
    return Refused(failed)


def _code(error: Exception) -> str:
    cause = getattr(error, "cause", None) or error
    response = getattr(cause, "response", None) or {}
    code: str = response.get("Error", {}).get("Code", "")
    return code


def _is_passing(error: Exception) -> bool:
    """Whether sending the same again may succeed: busy, throttled, or no answer at all."""
    cause = getattr(error, "cause", None) or error
    if isinstance(cause, BotoCoreError):
        return True
    return isinstance(cause, VerboseClientError) and _code(error) in _PASSING


def _as_unavailable(error: Exception) -> Exception:
    return Unavailable("store.busy") if _is_passing(error) else error


def _pause(attempt: int) -> None:
    """Full jitter: anything between nothing and a bound that doubles."""
    time.sleep(random.uniform(0, min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2**attempt)))
