"""Who is away and who stands in: what follows for a roster from its county's leaves. Pure.

The deputy gets an entry of the absent one's role and scope for as long as the leave lasts, so
everything that asks the roster or a session finds him without knowing of leaves. Is he away
himself, his own deputy stands in for that while, and so on; a walk that comes back to somebody on
it ends, and an import that would make one is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from models.people.entities import Away, RoleName, RosterEntry, StandIn
from models.people.rules import BadLine, RosterLine, in_turn, is_phone_key, read_instant

LEAVE_REASONS = ("annual", "sick", "training", "shift", "other")
"""年休, 病假, 培训, 调班, 其他: why, as far as a roster needs to know."""

OFFICIALS = (
    RoleName.OFFICER,
    RoleName.GRID_LEAD,
    RoleName.COMMUNITY,
    RoleName.DISTRICT,
    RoleName.DUTY,
)
"""Who reads and handles the cases of a scope; each may stand in for another."""

_COLUMNS = ("phone_key", "scope", "county", "from", "to", "deputy_phone_key", "reason")


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """Somebody is away from ``starts_at``, before ``ends_at``; ``scope`` None is every post."""

    phone_key: str
    scope: str | None
    starts_at: datetime
    ends_at: datetime
    deputy_key: str
    reason: str

    def is_from(self, phone_key: str, scope: str) -> bool:
        """Whether it takes this person away from this scope."""
        return self.phone_key == phone_key and self.scope in (None, scope)

    def overlaps(self, other: Leave) -> bool:
        """Whether both take one person away from one post at one time."""
        is_same = self.phone_key == other.phone_key
        is_at_once = self.starts_at < other.ends_at and other.starts_at < self.ends_at
        return (
            is_same
            and is_at_once
            and (self.scope == other.scope or None in (self.scope, other.scope))
        )


class Circle(Exception):
    """The deputies of a leave lead back to somebody who is away himself."""


class Cover:
    """A county's roster together with its leaves."""

    def __init__(self, lines: Iterable[RosterLine], leaves: Iterable[Leave]) -> None:
        self._lines = tuple(lines)
        self._leaves = sorted(leaves, key=lambda leave: leave.starts_at)

    def lines(self) -> list[RosterLine]:
        """The roster as it stands: each line with its leaves, then those who stand in."""
        own = [self._rested(line) for line in self._lines]
        covering = [each for line in self._lines for each in self._covering(line)]
        return [*own, *{line.key: line for line in covering}.values()]

    def posts(self, phone_key: str, scope: str | None = None) -> list[RosterLine]:
        """The official posts of a phone, first the one held longest."""
        found = self._posts.get(phone_key, ())
        return [line for line in found if scope in (None, line.entry.scope)]

    def is_covered(self, leave: Leave) -> bool:
        """Whether the deputy holds a post of his own as long as the leave lasts."""
        reached = leave.starts_at
        for line in sorted(self.posts(leave.deputy_key), key=lambda line: line.entry.starts_at):
            if line.entry.starts_at <= reached:
                reached = max(reached, line.entry.ends_at or leave.ends_at)
        return reached >= leave.ends_at

    def has_circle(self, leave: Leave) -> bool:
        """Whether at some time of a leave the deputies only lead back."""
        for line in self.posts(leave.phone_key, leave.scope):
            try:
                list(self._while(leave, line))
            except Circle:
                return True
        return False

    @cached_property
    def _posts(self) -> Mapping[str, Sequence[RosterLine]]:
        found: dict[str, list[RosterLine]] = {}
        for line in sorted(self._lines, key=lambda line: in_turn(line.entry)):
            if line.entry.role in OFFICIALS:
                found.setdefault(line.phone_key, []).append(line)
        return found

    @cached_property
    def _by_phone(self) -> Mapping[str, Sequence[Leave]]:
        found: dict[str, list[Leave]] = {}
        for leave in self._leaves:
            found.setdefault(leave.phone_key, []).append(leave)
        return found

    def _from(self, phone_key: str, scope: str) -> list[Leave]:
        leaves = self._by_phone.get(phone_key, ())
        return [leave for leave in leaves if leave.is_from(phone_key, scope)]

    def _rested(self, line: RosterLine) -> RosterLine:
        is_official = line.entry.role in OFFICIALS
        leaves = self._from(line.phone_key, line.entry.scope) if is_official else ()
        away = tuple(
            Away(starts_at=leave.starts_at, ends_at=leave.ends_at, reason=leave.reason)
            for leave in leaves
        )
        return replace(line, entry=replace(line.entry, away=away))

    def _covering(self, line: RosterLine) -> Iterator[RosterLine]:
        if line.entry.role not in OFFICIALS:
            return
        for leave in self._from(line.phone_key, line.entry.scope):
            try:
                yield from list(self._while(leave, line))
            except Circle:  # the roster has changed since; the lead is there as for any vacancy
                continue

    def _while(self, leave: Leave, line: RosterLine) -> Iterator[RosterLine]:
        entry = line.entry
        start = max(leave.starts_at, entry.starts_at)
        end = min(leave.ends_at, entry.ends_at or leave.ends_at)
        stand_in = StandIn(
            phone_key=line.phone_key,
            display=entry.display,
            since=entry.starts_at,
            reason=leave.reason,
        )
        post = replace(entry, stands_in=stand_in, member_id=None)
        yield from self._walk(leave.deputy_key, post, start, end, (line.phone_key,))

    def _walk(
        self,
        deputy_key: str,
        post: RosterEntry,
        start: datetime,
        end: datetime,
        seen: tuple[str, ...],
    ) -> Iterator[RosterLine]:
        if start >= end:
            return
        if deputy_key in seen:
            raise Circle
        reached = start
        for leave in self._from(deputy_key, post.scope):
            if leave.ends_at <= reached or leave.starts_at >= end:
                continue
            yield from self._present(deputy_key, post, reached, leave.starts_at)
            begin, reached = max(reached, leave.starts_at), min(end, leave.ends_at)
            yield from self._walk(leave.deputy_key, post, begin, reached, (*seen, deputy_key))
        yield from self._present(deputy_key, post, reached, end)

    def _present(
        self, deputy_key: str, post: RosterEntry, start: datetime, end: datetime
    ) -> Iterator[RosterLine]:
        """The deputy's entry, cut to when he is on the roster himself."""
        own = self.posts(deputy_key)
        if not own:
            return
        start = max(start, min(line.entry.starts_at for line in own))
        ends = [line.entry.ends_at for line in own if line.entry.ends_at is not None]
        if len(ends) == len(own):
            end = min(end, max(ends))
        if start < end:
            entry = replace(post, display=own[0].entry.display, starts_at=start, ends_at=end)
            yield RosterLine(phone_key=deputy_key, entry=entry)


def read_leave(columns: Mapping[str, str | None], county: str) -> Leave:
    """Judge a line of ``county``'s leaves by itself. Raises ``BadLine`` with a code.

    Columns: phone_key, scope, county, from, to, deputy_phone_key, reason. An empty ``scope`` is
    every post of the phone; ``from`` is included, ``to`` is not; both are dates (00:00 in China)
    or RFC 3339 instants.
    """
    text = {name: (columns.get(name) or "").strip() for name in _COLUMNS}
    if text["county"] != county:
        raise BadLine("leave.foreign_county")
    if not is_phone_key(text["phone_key"]):
        raise BadLine("leave.bad_phone_key")
    if not is_phone_key(text["deputy_phone_key"]):
        raise BadLine("leave.bad_deputy_key")
    if text["deputy_phone_key"] == text["phone_key"]:
        raise BadLine("leave.own_deputy")
    if text["reason"] not in LEAVE_REASONS:
        raise BadLine("leave.unknown_reason")
    starts_at = read_instant(text["from"], "leave.bad_time")
    ends_at = read_instant(text["to"], "leave.bad_time")
    if ends_at <= starts_at:
        raise BadLine("leave.ends_before_start")
    return Leave(
        phone_key=text["phone_key"],
        scope=text["scope"] or None,
        starts_at=starts_at,
        ends_at=ends_at,
        deputy_key=text["deputy_phone_key"],
        reason=text["reason"],
    )
