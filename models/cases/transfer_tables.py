"""Under which names receivers know the cases that were handed over to them."""

from __future__ import annotations

from pynamodb.attributes import UnicodeAttribute

from models.base.tables import Instant, Table, Whole
from models.cases.entities import Receiver


class HandOverRow(Table):
    """One name of a case at a receiver: his reference, or our number. A name means one case.

    Kept when a case comes back, so that what the receiver says of it later still finds it.
    """

    class Meta:
        table_name = "hand-overs"

    name = UnicodeAttribute(hash_key=True)
    schema = Whole()
    county = UnicodeAttribute()
    receiver = UnicodeAttribute()
    case_id = UnicodeAttribute()
    at = Instant()


def reference_name(county: str, receiver: Receiver, external_ref: str) -> str:
    """The name of a receiver's own making.

    >>> reference_name("411503", Receiver.POLICE, "A-7")
    '411503#police#ref#A-7'
    """
    return f"{county}#{receiver.value}#ref#{external_ref}"


def number_name(county: str, receiver: Receiver, number: str) -> str:
    """The name we give: the case's number.

    >>> number_name("411503", Receiver.POLICE, "260318-MNPQRS")
    '411503#police#no#260318-MNPQRS'
    """
    return f"{county}#{receiver.value}#no#{number}"
