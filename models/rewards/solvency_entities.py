"""What a simulated year of points is judged from, and what it finds. Points are whole numbers.

Nothing here knows where rules, rewards or wallets are kept: ``solvency.py`` reads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

MONTHS = 12
"""The year that is simulated, and the year of quotas that must take in what is outstanding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What is paid for one act; caps count units, None: no cap.

    Acts of one ``group`` share their caps. ``counts`` says whether the overall caps see it;
    ``budget_a_day`` are the most points that a grid gives for it in a day.
    """

    rule: str
    points: int
    urgent_bonus: int = 0
    per_day: int | None = None
    per_week: int | None = None
    per_month: int | None = None
    group: str = ""
    counts: bool = True
    budget_a_day: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """All acts as they are paid in one month, and the overall caps in points of a member."""

    acts: tuple[Act, ...]
    per_day: int | None = None
    per_month: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class County:
    """Where people earn and spend: active members, and grids that have budgets."""

    county: str
    members: int
    grids: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """How active members act: equal ``groups``, idlest first, in times a year by rule.

    ``hunters_permille`` more act as often as caps let them, at most ``feasible`` times a day.
    ``grants_permille`` get what only an authority gives, every month. ``otherwise`` is how often
    a year everybody does what this population knows nothing of.
    """

    groups: tuple[Mapping[str, int], ...]
    hunters_permille: int
    feasible: Mapping[str, int]
    grants_permille: Mapping[str, int]
    urgent_permille: int
    otherwise: int
    otherwise_feasible: int

    @property
    def median(self) -> int:
        """The group of the member in the middle; the idler of two."""
        return (len(self.groups) - 1) // 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Fund:
    """``points``: what it can still carry beyond what was handed over already."""

    fund_id: str
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A reward in one county: ``quota`` a month at ``price`` points, paid by a fund.

    ``per_member`` is the most a member may take in a year (None: no limit); ``months`` how many of
    the next twelve are funded. ``is_open``: any confirmed member may take it, so it counts for who
    is in the middle.
    """

    reward_id: str
    county: str
    price: int
    quota: int
    fund_id: str
    per_member: int | None = None
    months: int = MONTHS
    is_open: bool = True

    def __post_init__(self) -> None:
        if self.price < 1 or self.quota < 0:
            raise ValueError("an item costs something, and its quota is no debt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """Points that members of a county have now: available, pending and held.

    ``lapsing`` are those among them that expire, by month of the year (1 to 12); what is not named
    there is taken to stay.
    """

    points: int = 0
    lapsing: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Economy:
    """Everything a verdict follows from. ``sheets`` has one for each of the twelve ``months``.

    ``floors`` are the sheets that the member in the middle can rely on, where a month has versions
    that differ; None: the same.
    """

    months: tuple[str, ...]
    sheets: tuple[Sheet, ...]
    population: Population
    counties: tuple[County, ...]
    items: tuple[Item, ...]
    funds: tuple[Fund, ...]
    claims: Mapping[str, Claims] = field(default_factory=dict)
    floors: tuple[Sheet, ...] | None = None

    def __post_init__(self) -> None:
        if {len(self.months), len(self.sheets), len(self.floors or self.sheets)} != {MONTHS}:
            raise ValueError("a year has twelve months")


class Broken(StrEnum):
    """The clauses that a year can violate."""

    UNCOVERED = "solvency.uncovered"
    UNDERFUNDED = "solvency.underfunded"
    EMPTY = "solvency.empty"
    UNREACHABLE = "solvency.unreachable"
    SCARCE = "solvency.scarce"
    STRANDED = "solvency.stranded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """A violated clause; ``county`` is None where it is about a fund of several.

    ``lack`` is how far it is from being kept, in points or items: less is better. ``echoes`` names
    a clause beside which this one tells nothing new.
    """

    code: Broken
    county: str | None
    lack: int
    figures: Mapping[str, int | str]
    echoes: Broken | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthEnd:
    """A county at the end of a month (``YYYY-MM``), in points; ``issued`` and ``lapsed`` in it.

    ``stock`` is what the quotas of the twelve months after it take in, as far as funds carry it.
    """

    month: str
    county: str
    issued: int
    lapsed: int
    liability: int
    stock: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What the member in the middle has after any 60 days, and what that buys at the least.

    ``units`` are what is in stock within his reach in that time, ``needed`` how many members come
    before him or are he. ``cheapest`` is None where nothing is on offer.
    """

    county: str
    points: int
    cheapest: int | None
    units: int
    needed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the year shows, whether it passes or not."""

    clauses: tuple[Clause, ...]
    months: tuple[MonthEnd, ...]
    reaches: tuple[Reach, ...]

    @property
    def passes(self) -> bool:
        return not self.clauses
