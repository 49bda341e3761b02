"""Whom the simulated year is about. Shares of a typical year, not people; nothing is drawn.

*Source:* three reports a year: Suzhou Industrial Park 2025, 3,413 by 1,149 riders (domain.md §2.2,
§4.3); a fifth of them severity A or B (§4.6). The rest is judgement: how uneven members are, ten
check-ins for the one in the middle, one member in a hundred who is after points alone.
"""

from __future__ import annotations

from models.rewards.solvency_entities import Population

REPORTS = (0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 4, 6, 8, 11, 18)
"""Reports a year of each twentieth of the active members: mean three, but the middle one has one.

Counts of what people do of their own accord are uneven: these are the quantiles, in the middle of
each twentieth, of a negative binomial with mean 3 and dispersion 0.4. Two in five report nothing;
the busiest twentieth makes three reports in ten, as one rider with 200 points at ten each did.
"""

CHECK_INS = (0, 0, 1, 2, 4, 5, 6, 8, 9, 10, 10, 11, 12, 13, 14, 15, 16, 18, 20, 26)
"""Check-ins a month of the same twentieths, mean and middle ten; the last goes past the cap."""

_JOINED = (*[0] * 14, 1, 1, 1, 1, 2, 3)
_RECHECKS = (*[0] * 12, 1, 1, 1, 2, 2, 2, 4, 6)
_CORRECTIONS = (*[0] * 16, 1, 1, 1, 2)
_SERVICE_HOURS = (*[0] * 15, 2, 2, 4, 6, 12)
_ACTIVITIES = (*[0] * 10, 1, 1, 1, 1, 2, 2, 2, 4, 4, 6)

TYPICAL = Population(
    groups=tuple(
        {
            "report.first": reports,
            "report.early": 0,
            "report.joiner": joined,
            "report.moving": 0,
            "recheck.passed": rechecks,
            "station.check_in": 12 * check_ins,
            "correction.accepted": corrections,
            "service.hour": hours,
            "activity.attended": activities,
            "hardship.grant": 0,
        }
        for reports, check_ins, joined, rechecks, corrections, hours, activities in zip(
            REPORTS,
            CHECK_INS,
            _JOINED,
            _RECHECKS,
            _CORRECTIONS,
            _SERVICE_HOURS,
            _ACTIVITIES,
            strict=True,
        )
    ),
    hunters_permille=10,
    feasible={
        "report.first": 20,
        "report.early": 0,
        "report.joiner": 20,
        "report.moving": 0,
        "recheck.passed": 5,
        "station.check_in": 6,
        "correction.accepted": 5,
        "service.hour": 8,
        "activity.attended": 2,
        "hardship.grant": 0,
    },
    grants_permille={"hardship.grant": 10},
    urgent_permille=215,
    otherwise=12,
    otherwise_feasible=5,
)
"""Twenty submissions a day are the intake's own limit; four hours lie between two check-ins."""

MEMBERS_PER_COUNTY = 600
"""Planned active members where nobody planned otherwise. *Source:* domain.md §4.6, the demo."""
