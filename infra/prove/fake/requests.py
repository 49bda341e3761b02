"""Answers DynamoDB's requests from tables in memory, one at a time, in the order they come.

What the product asks is answered as DynamoDB answers it; a request or a parameter that is not
known here is refused loudly. Left out: capacity, the sizes of items and pages, a transaction's
token, reserved words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from infra.prove.fake.reads import Answer, Request, projected, query, scan
from infra.prove.fake.tables import Key, Table
from infra.prove.fake.values import Wrong
from infra.prove.fake.writes import RETURN_OLD, Refusal, Write, reason_of

MOST_ACTIONS = 100
MOST_BATCH_WRITES = 25

_SHARED = frozenset({"TableName", "ReturnConsumedCapacity", "ExpressionAttributeNames"})
_WRITTEN = _SHARED | {
    *("ConditionExpression", "ExpressionAttributeValues", "ReturnValues", RETURN_OLD),
    "ReturnItemCollectionMetrics",
}
_READ = _SHARED | {"ConsistentRead", "ProjectionExpression"}
_LISTED = _READ | {
    *("IndexName", "FilterExpression", "ExpressionAttributeValues"),
    *("Limit", "ExclusiveStartKey", "Select"),
}
_KNOWN: Mapping[str, frozenset[str]] = {
    "GetItem": _READ | {"Key"},
    "BatchGetItem": frozenset({"RequestItems", "ReturnConsumedCapacity"}),
    "BatchWriteItem": frozenset(
        {"RequestItems", "ReturnConsumedCapacity", "ReturnItemCollectionMetrics"}
    ),
    "PutItem": _WRITTEN | {"Item"},
    "DeleteItem": _WRITTEN | {"Key"},
    "UpdateItem": _WRITTEN | {"Key", "UpdateExpression"},
    "ConditionCheck": _WRITTEN | {"Key"},
    "Query": _LISTED | {"KeyConditionExpression", "ScanIndexForward"},
    "Scan": _LISTED,
    "TransactGetItems": frozenset({"TransactItems", "ReturnConsumedCapacity"}),
    "Get": frozenset({"TableName", "Key"}),
    "TransactWriteItems": frozenset({"TransactItems", "ReturnConsumedCapacity"}),
}
_ACTIONS = {
    "Put": "PutItem",
    "Delete": "DeleteItem",
    "Update": "UpdateItem",
    "ConditionCheck": "ConditionCheck",
}


def error(operation: str, code: str, message: str = "", **more: Any) -> ClientError:
    """An error as botocore raises it."""
    response: Any = {"Error": {"Code": code, "Message": message or code}, **more}
    return ClientError(response, operation)


class Database:
    """Every table, and the operations on them."""

    def __init__(self, definitions: Sequence[Mapping[str, Any]]) -> None:
        self.tables = {one["TableName"]: Table(one) for one in definitions}
        self._operations: Mapping[str, Callable[[str, Request], Answer]] = {
            "GetItem": self._get,
            "BatchGetItem": self._get_batch,
            "BatchWriteItem": self._write_batch,
            "PutItem": self._write_one,
            "DeleteItem": self._write_one,
            "UpdateItem": self._write_one,
            "Scan": lambda _, request: scan(self._table(request["TableName"]), request),
            "TransactGetItems": self._get_together,
            "TransactWriteItems": self._transact,
        }

    def answer(self, operation: str, request: Request, *, lag: int = 0) -> Answer:
        """Carry out one request; a query of an index reads it as of ``lag`` writes ago.

        Raises botocore's ``ClientError`` where DynamoDB answers with an error.
        """
        _check_known(operation, request)
        try:
            if operation == "Query":
                return query(self._table(request["TableName"]), request, lag)
            return self._operations[operation](operation, request)
        except Wrong as wrong:
            raise error(operation, "ValidationException", str(wrong)) from None

    def _table(self, name: str) -> Table:
        table = self.tables.get(name)
        if table is None:
            raise error("", "ResourceNotFoundException", name)
        return table

    def _get(self, _: str, request: Request) -> Answer:
        table = self._table(request["TableName"])
        item = table.rows.get(table.exact_key(request["Key"]))
        return {} if item is None else {"Item": projected(item, request)}

    def _get_batch(self, _: str, request: Request) -> Answer:
        found: Answer = {}
        wanted = request["RequestItems"]
        if not 1 <= sum(len(one["Keys"]) for one in wanted.values()) <= MOST_ACTIONS:
            raise Wrong("too many items requested, or none")
        for name, how in wanted.items():
            table = self._table(name)
            keys = [table.exact_key(key) for key in how["Keys"]]
            if len(set(keys)) != len(keys):
                raise Wrong("provided list of item keys contains duplicates")
            there = [table.rows[key] for key in keys if key in table.rows]
            found[name] = [projected(item, how) for item in there]
        return {"Responses": found, "UnprocessedKeys": {}}

    def _get_together(self, operation: str, request: Request) -> Answer:
        places: list[tuple[Table, Key | None]] = []
        reasons: list[dict[str, Any]] = []
        for one in request["TransactItems"]:
            ((action, how),) = one.items()
            _check_known(action, how)
            table = self._table(how["TableName"])
            try:
                places.append((table, table.exact_key(how["Key"])))
                reasons.append({"Code": "None"})
            except Wrong as wrong:  # of a read an empty key too is a reason, not a bad request
                places.append((table, None))
                reasons.append({"Code": "ValidationError", "Message": str(wrong)})
        if any(key is None for _, key in places):
            raise cancelled(operation, reasons)
        _check_apart([(table.name, key) for table, key in places], MOST_ACTIONS)
        rows = [table.rows.get(key) for table, key in places if key is not None]
        return {"Responses": [{"Item": dict(row)} if row else {} for row in rows]}

    def _write_batch(self, _: str, request: Request) -> Answer:
        writes = []
        for name, wanted in request["RequestItems"].items():
            for one in wanted:
                ((kind, how),) = one.items()
                operation = "PutItem" if kind == "PutRequest" else "DeleteItem"
                writes.append(Write(operation, self._table(name), how))
        _check_apart(_places(writes), MOST_BATCH_WRITES)
        for write in writes:
            write.judge()
        for write in writes:
            write.apply()
        return {"UnprocessedItems": {}}

    def _write_one(self, operation: str, request: Request) -> Answer:
        write = Write(operation, self._table(request["TableName"]), request)
        try:
            write.judge()
        except Refusal as refused:
            there = {"Item": dict(refused.item)} if refused.item else {}
            code = "ConditionalCheckFailedException"
            raise error(operation, code, str(refused), **there) from None
        write.apply()
        return write.returned()

    def _transact(self, operation: str, request: Request) -> Answer:
        writes = []
        for one in request["TransactItems"]:
            ((action, how),) = one.items()
            _check_known(_ACTIONS[action], how)
            writes.append(Write(_ACTIONS[action], self._table(how["TableName"]), how))
        _check_apart(_places(writes), MOST_ACTIONS)
        reasons = [reason_of(write) for write in writes]
        codes = [reason["Code"] for reason in reasons]
        if codes.count("None") != len(codes):
            raise cancelled(operation, reasons)
        for write in writes:
            write.apply()
        return {}


def cancelled(operation: str, reasons: Sequence[Mapping[str, Any]]) -> ClientError:
    """The error of a transaction that was not applied."""
    codes = ", ".join(reason["Code"] for reason in reasons)
    message = f"Transaction cancelled, please refer to cancellation reasons [{codes}]"
    code = "TransactionCanceledException"
    return error(operation, code, message, CancellationReasons=list(reasons))


def _check_known(operation: str, request: Request) -> None:
    if not request.keys() <= _KNOWN[operation]:
        raise NotImplementedError(f"{operation}: {sorted(request.keys() - _KNOWN[operation])}")


def _places(writes: Sequence[Write]) -> list[tuple[str, Key | None]]:
    return [(write.table.name, write.key) for write in writes]


def _check_apart(places: Sequence[tuple[str, Key | None]], most: int) -> None:
    if not 1 <= len(places) <= most:
        raise Wrong("too many items, or none")
    there = [place for place in places if place[1] is not None]
    if len(set(there)) != len(there):
        raise Wrong("cannot include multiple operations on one item")
