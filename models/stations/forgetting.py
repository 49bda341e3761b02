"""What stations forget of a member who takes his location back: where he was seen, and how near.

That he checked in stays with its receipt: points hang on it.
"""

from __future__ import annotations

from collections.abc import Sequence

from models.base.store import delete, query, update_if
from models.people.withdrawals import Withdrawn
from models.stations.tables import CheckInRow, VisitRow


class StationsForgetting:
    """Forgets a member's track."""

    def forget(self, member_id: str, withdrawn: Withdrawn) -> Sequence[str]:
        """Forget the distances of his check-ins and his last visits. A query of each."""
        if withdrawn not in (Withdrawn.LOCATION, Withdrawn.ACCOUNT):
            return ()
        measured = CheckInRow.distance_m.exists() | CheckInRow.accuracy_m.exists()
        rows = query(CheckInRow, member_id, filter_condition=measured)
        for row in rows:
            erase = [CheckInRow.distance_m.remove(), CheckInRow.accuracy_m.remove()]
            update_if(CheckInRow(member_id, row.check_in_id), erase, measured)
        visits = query(VisitRow, member_id)
        for visit in visits:
            delete(VisitRow(member_id, visit.station_id))
        return ("check_in_distances", "visits") if rows or visits else ()
