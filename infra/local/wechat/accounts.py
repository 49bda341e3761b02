"""Local-only accounts, pages and message templates the simulator starts with.

Nothing here exists at WeChat: every value is invented (`synthetic`) and safe to publish.
The local stack imports the same values, so both sides agree without configuration.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

AccountName = Literal["mini", "service"]
Audience = Literal["once", "long", "employee", "service"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One WeChat account: who it is, and how its pushes are signed and encrypted."""

    name: AccountName
    appid: str
    secret: str
    token: str
    aes_key: str
    gh_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A message template: label by field key; the key without its number is the field's type.

    `audience` says which API sends it and what consent it needs: `once` (one accept per
    message), `long` (one accept until rejected), `employee` (a binding), `service` (a follow).
    """

    id: str
    title: str
    audience: Audience
    label_by_key: Mapping[str, str]


MINI = Account(
    name="mini",
    appid="wx0000000000000001",
    secret="local-mini-secret-00000000000001",
    token="localminitoken",
    aes_key="LocalMiniProgramKeyOnly".ljust(43, "A"),
    gh_id="gh_000000000001",
)
SERVICE = Account(
    name="service",
    appid="wx0000000000000002",
    secret="local-service-secret-00000000002",
    token="localservicetoken",
    aes_key="LocalServiceAccountKeyOnly".ljust(43, "A"),
    gh_id="gh_000000000002",
)
ACCOUNTS: tuple[Account, ...] = (MINI, SERVICE)

ROBOT_KEY = "00000000-0000-0000-0000-000000000001"

PAGES: tuple[str, ...] = (
    "pages/index/index",
    "pages/report/new",
    "pages/report/detail",
    "pages/case/list",
    "pages/case/detail",
    "pages/inbox/index",
    "pages/checkin/index",
    "pages/station/detail",
    "pages/points/index",
    "pages/rewards/index",
    "pages/redemption/detail",
)

OFFICER_ALERT: Mapping[str, str] = MappingProxyType(
    {"thing1": "事项", "thing2": "地点", "time3": "时限", "character_string4": "编号"}
)
ESCALATION: Mapping[str, str] = MappingProxyType(
    {
        "thing1": "事项",
        "thing2": "地点",
        "time3": "时限",
        "character_string4": "编号",
        "phrase5": "状态",
    }
)
DIGEST: Mapping[str, str] = MappingProxyType(
    {"number1": "件数", "thing2": "最急一件", "time3": "时限", "thing4": "去处"}
)
RIDER_PROGRESS: Mapping[str, str] = MappingProxyType(
    {"thing1": "事项", "phrase2": "状态", "thing3": "说明", "character_string4": "编号"}
)

SERVICE_OFFICER_ALERT = "svc-officer-alert"
SERVICE_ESCALATION = "svc-escalation"
EMPLOYEE_OFFICER_ALERT = "emp-officer-alert"
EMPLOYEE_ESCALATION = "emp-escalation"
ONCE_OFFICER_ALERT = "sub-officer-alert"
ONCE_ESCALATION = "sub-escalation"
SERVICE_DIGEST = "svc-digest"
EMPLOYEE_DIGEST = "emp-digest"
ONCE_DIGEST = "sub-digest"
ONCE_RIDER_PROGRESS = "sub-rider-progress"
LONG_RIDER_PROGRESS = "long-rider-progress"

_TEMPLATES: tuple[tuple[str, str, Audience, Mapping[str, str]], ...] = (
    (SERVICE_OFFICER_ALERT, "新事项提醒", "service", OFFICER_ALERT),
    (SERVICE_ESCALATION, "超时督办通知", "service", ESCALATION),
    (SERVICE_DIGEST, "待办汇总提醒", "service", DIGEST),
    (EMPLOYEE_OFFICER_ALERT, "新事项提醒", "employee", OFFICER_ALERT),
    (EMPLOYEE_ESCALATION, "超时督办通知", "employee", ESCALATION),
    (EMPLOYEE_DIGEST, "待办汇总提醒", "employee", DIGEST),
    (ONCE_OFFICER_ALERT, "新事项提醒", "once", OFFICER_ALERT),
    (ONCE_ESCALATION, "超时督办通知", "once", ESCALATION),
    (ONCE_DIGEST, "待办汇总提醒", "once", DIGEST),
    (ONCE_RIDER_PROGRESS, "上报进度通知", "once", RIDER_PROGRESS),
    (LONG_RIDER_PROGRESS, "上报进度通知", "long", RIDER_PROGRESS),
)
TEMPLATES: tuple[Template, ...] = tuple(
    Template(id=id_, title=title, audience=audience, label_by_key=label_by_key)
    for id_, title, audience, label_by_key in _TEMPLATES
)
