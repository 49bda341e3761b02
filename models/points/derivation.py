"""Work an award out again from its rule's version and the inputs that its entry keeps. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from models.points import acts, rules
from models.points.acts import RuleBook
from models.points.chains import Fault
from models.points.entities import Entry, EntryKind


def underived(entries: Iterable[Entry], book: RuleBook) -> Iterator[Fault]:
    """Awards that do not follow from their rule; those from before inputs were kept are passed.

    Codes: ``entry.rule`` (there is no such version), ``entry.inputs`` (they contradict it or each
    other), ``entry.points`` (it gave other points than follow).
    """
    for entry in entries:
        inputs = entry.source.get("inputs")
        if entry.kind is EntryKind.AWARD and isinstance(inputs, Mapping):
            code = _wrong(entry, inputs, book)
            if code is not None:
                yield Fault(member_id=entry.member_id, code=code, seq=entry.seq)


def _wrong(entry: Entry, inputs: acts.Inputs, book: RuleBook) -> str | None:
    rule = book.version(entry.rule)
    if rule is None:
        return "entry.rule"
    try:
        due, granted = acts.derive(rule, inputs), inputs["granted"]
    except (KeyError, TypeError, ValueError):
        return "entry.inputs"
    given = -entry.legs.get(rules.issued(entry.rule), 0)
    return None if due == granted == given else "entry.points"
