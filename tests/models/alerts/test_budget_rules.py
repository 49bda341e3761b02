"""When an official's phone may ring: not too often, not at night, and nothing waits for ever."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.alerts import rules
from models.alerts.entities import AlertDay
from models.base.clock import CHINA

DAY = date(2026, 3, 18)


def at(clock: str, day: date = DAY) -> datetime:
    """A time of day in China."""
    hour, minute = clock.split(":")
    return datetime(day.year, day.month, day.day, int(hour), int(minute), tzinfo=CHINA)


def decided(now: str, *, sent: int = 0, last: str | None = None, due: str | None = None) -> str:
    """What ``decide`` says about an alert at ``now``; its limit ends on the next day by default."""
    day = AlertDay(day=DAY, sent=sent, last_at=at(last) if last else None)
    due_at = at(due) if due else at("12:00", DAY + timedelta(days=1))
    until = rules.decide(at(now), day, due_at=due_at)
    if until == at(now):
        return "now"
    here = until.astimezone(CHINA)
    return f"{here:%H:%M}" + ("+1" if here.date() > DAY else "")


@pytest.mark.parametrize(
    ("now", "sent", "last", "expected"),
    [
        ("10:00", 0, None, "now"),
        ("10:00", 1, "09:46", "14:35"),
        ("10:00", 1, "09:45", "now"),
        ("10:00", 3, "08:35", "14:35"),
        ("10:00", 2, "08:35", "now"),
        ("14:19", 0, None, "now"),
        ("14:20", 0, None, "now"),
        ("14:21", 0, None, "14:35"),
        ("16:00", 4, "14:35", "17:30"),
        ("16:00", 3, "14:35", "now"),
        ("21:59", 4, "17:30", "now"),
        ("21:59", 5, "17:30", "08:35+1"),
        ("22:00", 0, None, "08:35+1"),
        ("06:59", 0, None, "08:35"),
        ("07:00", 0, None, "now"),
        ("07:00", 2, "06:00", "08:35"),
    ],
)
def test_an_alert_is_told_now_or_held_until_the_next_digest(
    now: str, sent: int, last: str | None, expected: str
) -> None:
    assert decided(now, sent=sent, last=last) == expected


@pytest.mark.parametrize(
    ("now", "sent", "last", "due", "expected"),
    [
        ("10:00", 1, "09:50", "11:00", "10:05"),
        ("10:00", 1, "09:50", "14:34", "10:05"),
        ("10:00", 1, "09:50", "14:35", "14:35"),
        ("10:00", 3, "09:50", "11:00", "14:35"),
        ("10:00", 1, "09:50", "09:00", "10:05"),
        ("14:15", 1, "14:10", "14:30", "14:35"),
        ("06:30", 0, None, "08:00", "07:00"),
        ("23:00", 5, "17:30", "23:30", "07:00+1"),
        ("21:50", 1, "21:49", "22:10", "07:00+1"),
    ],
)
def test_what_is_due_before_the_next_digest_waits_only_until_the_phone_may_ring(
    now: str, sent: int, last: str | None, due: str, expected: str
) -> None:
    assert decided(now, sent=sent, last=last, due=due) == expected


@pytest.mark.parametrize(
    ("now", "quiet"),
    [("21:59", False), ("22:00", True), ("00:00", True), ("06:59", True), ("07:00", False)],
)
def test_the_quiet_hours_are_from_ten_to_seven(now: str, quiet: bool) -> None:
    assert rules.is_quiet(at(now)) is quiet


def test_the_phone_wakes_at_seven_of_this_day_or_the_next() -> None:
    assert rules.next_waking(at("05:00")) == at("07:00")
    assert rules.next_waking(at("07:00")) == at("07:00", DAY + timedelta(days=1))
    assert rules.next_waking(at("23:00")) == at("07:00", DAY + timedelta(days=1))


@dataclass
class Phone:
    """What the desk does with its member's alerts, without the desk: the rules alone."""

    day: AlertDay = field(default_factory=lambda: AlertDay(day=DAY))
    held: list[tuple[datetime, datetime]] = field(default_factory=list)
    rang: list[datetime] = field(default_factory=list)
    waited: list[tuple[datetime, datetime]] = field(default_factory=list)

    def arrives(self, now: datetime, due_at: datetime) -> None:
        until = rules.decide(now, self.today(now), due_at=due_at)
        heapq.heappush(self.held, (until, now))
        self.runs(now)

    def runs(self, now: datetime) -> None:
        """Everything held goes along once one is due and the phone may ring."""
        if not self.held or self.held[0][0] > now:
            return
        until = rules.decide(now, self.today(now), due_at=now)
        if until > now:
            moved = [(max(each, until), since) for each, since in self.held]
            self.held = sorted(moved)
            return
        self.rang.append(now)
        self.waited += [(since, now) for _, since in self.held]
        self.held = []
        today = self.today(now)
        self.day = AlertDay(day=today.day, sent=today.sent + 1, last_at=now)

    def today(self, now: datetime) -> AlertDay:
        day = now.astimezone(CHINA).date()
        return self.day if self.day.day == day else AlertDay(day=day)


ARRIVALS = st.lists(
    st.tuples(
        st.integers(0, 240) | st.integers(0, 3),  # minutes since the last
        st.integers(-60, 900),  # minutes until its limit ends
        st.booleans(),  # whether the schedule stood still until then
    ),
    min_size=1,
    max_size=60,
)


@settings(max_examples=400)
@given(start=st.integers(0, 1439), arrivals=ARRIVALS)
def test_the_budget_holds_whatever_arrives_and_nothing_is_lost(
    start: int, arrivals: list[tuple[int, int, bool]]
) -> None:
    phone, now = Phone(), at("00:00") + timedelta(minutes=start)
    stood_still = False
    for wait, due, stands_still in arrivals:
        for _ in range(wait):
            now += timedelta(minutes=1)
            if not stands_still:
                phone.runs(now)
        stood_still |= stands_still
        phone.arrives(now, now + timedelta(minutes=due))
    for _ in range(24 * 60):
        now += timedelta(minutes=1)
        phone.runs(now)

    by_day: dict[date, int] = {}
    for rang in phone.rang:
        here = rang.astimezone(CHINA)
        by_day[here.date()] = by_day.get(here.date(), 0) + 1
        assert rules.WAKES <= here.time() < rules.SLEEPS
    assert max(by_day.values()) <= rules.ALERTS_PER_DAY
    pairs = zip(phone.rang, phone.rang[1:], strict=False)
    assert all(later - earlier >= rules.APART for earlier, later in pairs)
    assert phone.held == []
    assert len(phone.waited) == len(arrivals)
    if not stood_still:
        assert all(told <= rules.next_digest(since) for since, told in phone.waited)


@given(st.integers(0, 60 * 24 * 365))
def test_the_next_digest_is_the_first_of_the_three_that_is_still_to_come(minutes: int) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)

    digest = rules.next_digest(now)

    here = digest.astimezone(CHINA)
    assert here.time() in rules.DIGESTS
    assert timedelta(0) < digest - now <= timedelta(hours=15, minutes=5)


def test_an_urgent_pause_is_never_longer_than_half_a_minute() -> None:
    pauses = [rules.pause_after(attempts, urgent=True) for attempts in (1, 2, 5, 6, 5000)]

    assert pauses == [timedelta(seconds=seconds) for seconds in (1, 2, 16, 30, 30)]
