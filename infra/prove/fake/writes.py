"""One write: read from its request, then judged against what stands there, then applied."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infra.prove.fake import parsing
from infra.prove.fake.expressions import Test, test_of, updated
from infra.prove.fake.parsing import Update, bound, check_used, frozen
from infra.prove.fake.tables import Key, Table
from infra.prove.fake.values import Item, Malformed, Wrong, clean_item

Request = Mapping[str, Any]

RETURN_OLD = "ReturnValuesOnConditionCheckFailure"


class Refusal(Exception):
    """A condition failed; the row that stood there, if it was asked for."""

    def __init__(self, item: Item | None) -> None:
        self.item = item
        super().__init__("The conditional request failed")


class Write:
    """A put, an update, a delete or a check of one row. Raises ``Wrong`` for what none can be."""

    def __init__(self, operation: str, table: Table, request: Request) -> None:
        self.table = table
        self._operation, self._request = operation, request
        self._before: Item | None = None
        self._after: Item | None = None
        self._put: Item | None = None
        self._sections: Update | None = None
        self._test: Test | None = None
        self._values = bound(request)
        self._wrong: Wrong | None = None
        self.key: Key | None = None
        self._read()
        try:
            self._place()
        except Malformed:
            raise
        except Wrong as wrong:
            self._wrong = wrong

    def _read(self) -> None:
        request, used = self._request, [frozenset[str]()]
        names = frozen(request.get("ExpressionAttributeNames"))
        if self._operation == "PutItem":
            self._put = clean_item(request["Item"])
        if "UpdateExpression" in request:
            self._sections, placeholders = parsing.update(request["UpdateExpression"], names)
            used.append(placeholders)
            if any(path[0] in self.table.own.kinds for path in self._sections.paths()):
                raise Wrong("cannot update an attribute that is part of the key")
        if "ConditionExpression" in request:
            self._test, placeholders = test_of(request["ConditionExpression"], names)
            used.append(placeholders)
        check_used(names, self._values, used)

    def _place(self) -> None:
        """Find where the row stands; a key of the wrong type is a reason, not a bad request."""
        if self._put is None:
            self.key = self.table.exact_key(self._request["Key"])
        else:
            self.key = self.table.key_of(self._put)
            self.table.check_indexed(self._put)

    def judge(self) -> None:
        """Decide what is to be written. Raises ``Refusal`` and ``Wrong``."""
        if self._wrong is not None or self.key is None:
            raise self._wrong or Wrong("no key")
        self._before = self.table.rows.get(self.key)
        if self._test is not None and not self._test(self._before or {}, self._values):
            wants_old = self._request.get(RETURN_OLD) == "ALL_OLD"
            raise Refusal(self._before if wants_old else None)
        if self._operation == "UpdateItem":
            self._after = self._updated()
            self.table.check_indexed(self._after)
        else:
            self._after = self._put

    def _updated(self) -> Item:
        before = self._before
        if before is None:
            before = clean_item(self._request["Key"])
        if self._sections is None:
            return before
        return updated(before, self._sections, self._values)

    def apply(self) -> None:
        """Write what was decided."""
        if self._operation != "ConditionCheck" and self.key is not None:
            self.table.write(self.key, self._after)

    def returned(self) -> dict[str, Any]:
        """What the request wants to know about the row."""
        wanted = self._request.get("ReturnValues", "NONE")
        if wanted == "NONE":
            return {}
        if wanted not in ("ALL_OLD", "ALL_NEW"):
            raise NotImplementedError(wanted)
        item = self._before if wanted == "ALL_OLD" else self._after
        return {"Attributes": dict(item)} if item else {}


def reason_of(write: Write) -> dict[str, Any]:
    """Why a write of a transaction cannot be, as one of the cancellation's reasons."""
    try:
        write.judge()
    except Refusal as refused:
        reason: dict[str, Any] = {"Code": "ConditionalCheckFailed", "Message": str(refused)}
        if refused.item is not None:
            reason["Item"] = dict(refused.item)
        return reason
    except Wrong as wrong:
        return {"Code": "ValidationError", "Message": str(wrong)}
    return {"Code": "None"}
