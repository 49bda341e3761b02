"""One command for many cases: each is the ordinary command, with a request id of its own.

The ids derive from the batch's, so sending a batch again answers what it answered, and takes up
one that was cut off where it stopped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from models.base.clock import Clock
from models.base.errors import DomainError, FieldError, Invalid, Unavailable
from models.base.ids import derived_id
from models.cases.commands import Command
from models.cases.entities import Action
from models.cases.handling import Handling
from models.people.entities import Actor

MAX_ITEMS = 200
AT_ONCE = 8
"""Wide enough for 200 within a few seconds, narrow enough to leave others their turn."""
WITHIN = timedelta(seconds=18)
"""No item is begun later: the function ends after 25 s, the gateway gives up after 29."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One case of a batch, and the version of it that was seen."""

    case_id: str
    version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one case: what its command answered, or why it was refused."""

    case_id: str
    case: Mapping[str, Any] | None = None
    refusal: DomainError | None = None


class Bulk:
    """Carries a command out on many cases."""

    def __init__(self, *, clock: Clock, handling: Handling) -> None:
        self._clock = clock
        self._handling = handling

    def act(self, actor: Actor, command: Command, items: Sequence[Item]) -> list[Outcome]:
        """An outcome for each item, in their order; ``command`` is each one's but for its version.

        A refusal of one keeps no other back; what could not be begun in time is refused with
        ``bulk.not_reached`` (``Unavailable``): send the same again. Merges are done one after the
        other, for they all write their parent. Raises ``Invalid`` for a case named twice and for
        more than 200.
        """
        _check(items)
        until = self._clock.now() + WITHIN
        workers = 1 if command.action is Action.MERGE else AT_ONCE
        with ThreadPoolExecutor(max_workers=workers) as pool:
            return list(pool.map(partial(self._one, actor, command, until), items))

    def _one(self, actor: Actor, command: Command, until: datetime, item: Item) -> Outcome:
        if self._clock.now() >= until:
            refusal = Unavailable("bulk.not_reached")
            return Outcome(case_id=item.case_id, refusal=refusal)
        own = replace(
            command,
            client_request_id=derived_id("bulk", command.client_request_id, item.case_id),
            version=item.version,
        )
        try:
            answer = self._handling.act(actor, item.case_id, own)
        except DomainError as refusal:
            return Outcome(case_id=item.case_id, refusal=refusal)
        return Outcome(case_id=item.case_id, case=answer)


def _check(items: Sequence[Item]) -> None:
    if len(items) > MAX_ITEMS:
        raise Invalid(fields=[FieldError(field="items", code="field.too_long", limit=MAX_ITEMS)])
    ids = [item.case_id for item in items]
    twice = [
        FieldError(field=f"items.{index}.case_id", code="case.twice")
        for index, case_id in enumerate(ids)
        if case_id in ids[:index]
    ]
    if twice:
        raise Invalid(fields=twice)
