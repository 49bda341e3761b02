"""The twelve starter categories. They are data: a city overrides its limits.

*Source:* the sub-classes and limits of the digital city-management tables (codes E…, P…), as
published by Yuncheng and other cities; limits differ two- to fourfold between cities. Claim limits
by severity: A 15 minutes, B 30 minutes, C two working hours. One working day is 7 hours here.
"""

from __future__ import annotations

from datetime import timedelta
from functools import cache

from models.base.clock import Clock
from models.calendar.entities import ClockKind
from models.cases.catalogue import Catalogue
from models.cases.entities import Category, Severity

WORKING_DAY = timedelta(hours=7)

_CLAIM_WITHIN = {
    Severity.A: timedelta(minutes=15),
    Severity.B: timedelta(minutes=30),
    Severity.C: timedelta(hours=2),
}


def _category(
    code: str,
    names: tuple[str, str],
    severity: Severity,
    family: str,
    resolve_within: timedelta,
    *,
    condition: tuple[str, str],
    closing: tuple[str, str],
    call_first: tuple[str, ...] = (),
) -> Category:
    kind: ClockKind = "working" if severity is Severity.C else "continuous"
    return Category(
        code=code,
        zh=names[0],
        en=names[1],
        severity=severity,
        family=family,
        claim_within=_CLAIM_WITHIN[severity],
        resolve_within=resolve_within,
        kind=kind,
        condition_zh=condition[0],
        condition_en=condition[1],
        closing_zh=closing[0],
        closing_en=closing[1],
        call_first=call_first,
    )


CATEGORIES: tuple[Category, ...] = (
    _category(
        "E0493a",
        ("共享单车（电瓶车）乱停放", "Misparked shared (e-)bike"),
        Severity.C,
        "parking",
        timedelta(hours=2),
        condition=("停在划定区域以外", "Outside the marked area"),
        closing=("已摆放整齐", "Tidied"),
    ),
    _category(
        "E0410",
        ("非机动车乱停放", "Misparked bikes"),
        Severity.C,
        "parking",
        timedelta(hours=2),
        condition=("妨碍通行", "Blocks passage"),
        closing=("已摆放整齐", "Tidied"),
    ),
    _category(
        "E0496",
        ("占用消防通道", "Fire lane blocked"),
        Severity.B,
        "fire_lane",
        timedelta(hours=2),
        condition=("消防通道被车辆或杂物占用", "Vehicles or things stand in a fire lane"),
        closing=("通道已畅通", "Cleared"),
    ),
    _category(
        "E0113",
        ("道路破损", "Road damage"),
        Severity.C,
        "road",
        5 * WORKING_DAY,
        condition=(
            "坑洞不小于 0.5 平方米，或裂缝长于 1 米，或错台不小于 30 毫米",
            "A hole of 0.5 m² or more, a crack over 1 m, or a step of 30 mm or more",
        ),
        closing=("已修复", "Repaired"),
    ),
    _category(
        "E0505",
        ("路面塌陷", "Road collapse"),
        Severity.A,
        "road",
        timedelta(hours=2),
        condition=("危及通行安全", "Endangers traffic"),
        closing=("已围挡并设置警示", "Fenced, with a warning sign"),
        call_first=("110", "119", "120"),
    ),
    _category(
        "P0101",
        ("井盖缺失、移位、开裂", "Manhole cover missing, shifted or cracked"),
        Severity.A,
        "road",
        timedelta(hours=2),
        condition=("危及通行安全", "Endangers people"),
        closing=("已恢复", "Restored"),
        call_first=("110", "119", "120"),
    ),
    _category(
        "E0506",
        ("道路积水", "Flooded road"),
        Severity.A,
        "water",
        timedelta(hours=2),
        condition=("面积大于 100 平方米且深于 15 厘米", "Over 100 m² and deeper than 15 cm"),
        closing=("已可通行", "Passable"),
        call_first=("110", "119", "120"),
    ),
    _category(
        "E0508",
        ("架空线缆脱落", "Fallen overhead cable"),
        Severity.A,
        "cable",
        timedelta(hours=2),
        condition=("线缆垂落地面或人可触及", "On the ground or within reach"),
        closing=("已固定或拆除", "Fixed or removed"),
        call_first=("119", "110", "120"),
    ),
    _category(
        "E0502",
        ("燃气管道破裂、燃气泄漏", "Gas pipe burst or leak"),
        Severity.A,
        "gas",
        timedelta(hours=1),
        condition=("有燃气气味或喷出声", "Smell or sound of escaping gas"),
        closing=("险情已排除并围挡", "Safe, fenced"),
        call_first=("119", "110", "120"),
    ),
    _category(
        "E0108b",
        ("飞线充电", "Flying-wire charging"),
        Severity.B,
        "cable",
        timedelta(hours=4),
        condition=("从窗口拉线给电动车充电", "An e-bike charged by a wire from a window"),
        closing=("已整改", "Stopped"),
    ),
    _category(
        "E0110",
        ("暴露垃圾", "Exposed waste"),
        Severity.C,
        "waste",
        timedelta(hours=4),
        condition=("垃圾堆放在外或满溢", "Waste lies in the open or a bin overflows"),
        closing=("已清理", "Cleared"),
    ),
    _category(
        "P0137",
        ("路灯不亮", "Street lamp out"),
        Severity.C,
        "lighting",
        2 * WORKING_DAY,
        condition=("单盏或多盏路灯不亮", "One or more lamps are out"),
        closing=("已修复", "Repaired"),
    ),
)


@cache
def first_version() -> Catalogue:
    """The list that comes with the code; cases older than versions were filed under it."""
    return Catalogue(version="1", categories=CATEGORIES)


class Categories:
    """Which categories are in force, and which a standing case was filed under."""

    def __init__(self, *, clock: Clock, ttl: timedelta = timedelta(seconds=30)) -> None:
        self._clock = clock
        self._ttl = ttl

    def current(self, county: str | None) -> Catalogue:
        """The list in force in a county now; None: the city's, where no county is known."""
        return first_version()

    def of(self, code: str, version: str | None) -> Category:
        """The category of a stored case, as it was in the list that the case was filed under.

        ``version`` None stands for the first list. Raises ``KeyError`` for a code that was never in
        it.
        """
        return first_version().of(code)
