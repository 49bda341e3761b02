"""What officers and riders are told about a case, in Chinese and English."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from models.alerts.entities import Event, Notice, Template, Text
from models.base.ids import derived_id
from models.cases.entities import Category, Status, Step
from models.cases.tables import CaseRow

Told = tuple[str, Text]
"""The status in at most five Chinese characters (WeChat's phrase field), and the sentence."""

STEP: Mapping[Step, Told] = {
    Step.UNCLAIMED: ("超时未接", Text(zh="已过接单时限，无人接单", en="Nobody claimed it in time")),
    Step.UNCLAIMED_COMMUNITY: (
        "久未接单",
        Text(zh="接单时限已过一倍，无人接单", en="Unclaimed for twice as long as allowed"),
    ),
    Step.UNCLAIMED_DUTY: (
        "一直未接",
        Text(zh="接单时限已过三倍，无人接单", en="Unclaimed for four times as long as allowed"),
    ),
    Step.REMIND: ("即将超时", Text(zh="处置时限已过八成", en="80 % of the limit has passed")),
    Step.LEAD: ("已经超时", Text(zh="处置时限已到", en="The limit has passed")),
    Step.COMMUNITY: ("严重超时", Text(zh="已超处置时限一半", en="Half as long again as allowed")),
    Step.DISTRICT: ("超时一倍", Text(zh="用时已达处置时限两倍", en="Twice as long as allowed")),
}

NEW = Text(zh="有新的上报等待接单", en="A new report waits to be claimed")
ASSIGNED = Text(zh="网格长把此件指派给您", en="The grid lead assigned this case to you")
RETURNED = Text(zh="此件被退回，请重新指派", en="The case was returned; assign it again")
REPLIED = Text(zh="上报人已答复，时限继续计算", en="The reporter has replied; the clock goes on")
PROPOSED: Told = (
    "待您审批",
    Text(zh="此件申请延长时限", en="More time is asked for; please decide"),
)
APPEALED: Told = (
    "上报申诉",
    Text(zh="上报人申诉，请另派人核实", en="Appealed; have somebody else look"),
)
DOWNGRADED: Told = ("类别更正", Text(zh="此件改为非紧急类别", en="No longer of an urgent category"))
APPROVED = Text(zh="您的申请已获同意", en="What you asked for was approved")
DECLINED = Text(zh="您的申请未获同意，请按期处置", en="What you asked for was declined")
CORRECTED = Text(zh="类别已更正，时限随之变更", en="Of another category now, with its limits")
RESUMED = Text(zh="时限继续计算，请继续处置", en="The clock goes on; please go on")
REOPENED = Text(zh="此件未解决，请继续处置", en="Not fixed; please go on")
DISPUTED: Told = (
    "需要裁定",
    Text(zh="上报人第三次不满意", en="The reporter disagrees a third time"),
)
CONTESTED: Told = ("有人异议", Text(zh="有人反映没有解决", en="Somebody says it is not fixed"))

TRUST_APPEALED: Told = (
    "信用申诉",
    Text(zh="骑手对一条线索提出申诉，请复核", en="A rider appeals against a hint: please decide"),
)
NEIGHBOUR = Text(
    zh="有上报位于您网格边界附近，已派给邻格；若属您处请与邻格联系",
    en="Reported at the edge of your grid and sent next door; if it is yours, tell them",
)

JOINED_FIRST: Told = (
    "有人附议",
    Text(zh="又有人反映同一问题", en="Somebody else reported the same"),
)
JOINED: Told = (
    "已经并入",
    Text(zh="您的上报已并入已有事项", en="Your report joined a standing case"),
)
CLAIMED: Told = (
    "已经接单",
    Text(zh="网格员已接单，积分待入账", en="Claimed; your points are pending"),
)
RESOLVED: Told = (
    "已经处置",
    Text(zh="请在72小时内评价是否解决", en="Tell us within 72 hours whether it is fixed"),
)
RESOLVED_PART: Told = (
    "已经处置",
    Text(zh="这一部分已处置，无需您评价", en="This part is fixed; nothing for you to do"),
)
ASKED: Told = (
    "请您补充",
    Text(zh="网格员有问题请您答复", en="The officer has a question for you"),
)
GOES_ON: Told = ("继续处置", Text(zh="您的上报继续处置", en="Work on it goes on"))
EXTENDED: Told = ("时限延长", Text(zh="处置时限已延长", en="The limit was extended"))
DEFERRED: Told = (
    "暂缓处置",
    Text(zh="您的上报暂缓处置，到期恢复", en="Put off until a day that is set"),
)
RECATEGORISED: Told = (
    "类别更正",
    Text(zh="网格员更正了类别", en="The officer corrected its category"),
)
APPEAL_TAKEN: Told = ("申诉受理", Text(zh="将由他人重新核实", en="Somebody else will look at it"))
BACK: Told = ("继续处置", Text(zh="您的上报重新处置", en="It is being worked on again"))

MERGED: Told = (
    "已经合并",
    Text(zh="与另一上报是同一件事，一并处置", en="The same as another report; handled as one"),
)
UNMERGED: Told = (
    "分开处置",
    Text(zh="与另一上报不是同一件事，单独处置", en="Not the same after all; handled by itself"),
)
PARTED: Told = (
    "拆分处置",
    Text(zh="照片中的另一问题已单独登记", en="Another problem on your photo has a case of its own"),
)
TRANSFERRED: Told = (
    "正在移交",
    Text(zh="已移交有关部门，等待受理", en="Handed over; waiting to be accepted"),
)
EXTERNAL: Told = (
    "已经移交",
    Text(zh="有关部门已受理", en="Those who can do it have accepted it"),
)
RELEASED = Text(
    zh="原处置人已离岗，此件待您接单", en="Its officer has left; it waits for you to claim it"
)
UNMERGED_FOR_WORKER = Text(zh="此件撤销并案，请继续处置", en="Told apart again; please go on")

CLOSED: Mapping[Status, Told] = {
    Status.CLOSED: ("已经结案", Text(zh="感谢您的上报", en="Closed; thank you")),
    Status.REJECTED: ("不予受理", Text(zh="原因见详情", en="Not accepted; see why in the app")),
    Status.NO_EVIDENCE: (
        "缺少照片",
        Text(zh="24小时内没有收到照片", en="No photo within 24 hours"),
    ),
    Status.WITHDRAWN: ("已经撤回", Text(zh="您已撤回上报", en="You took it back")),
}


def notice(
    event: Event,
    case: CaseRow,
    category: Category,
    member_id: str,
    template: Template,
    fields: Mapping[str, str],
    told: Told,
    *,
    page: str,
) -> Notice:
    """One member's notice of an event: the same however often the event is handled."""
    return Notice(
        notice_id=derived_id("ntc", event.outbox_id, member_id),
        member_id=member_id,
        county=case.county,
        kind=event.topic,
        template=template,
        fields=fields,
        title=Text(zh=f"{category.zh}：{told[0]}", en=category.en),
        body=_body(case, told[1]),
        page=page,
        at=event.at,
        case_id=case.case_id,
    )


def neighbour_notice(event: Event, case: CaseRow, category: Category, member_id: str) -> Notice:
    """What the officer next door finds in his inbox; no channel sends it, so it has no fields."""
    told = ("邻近网格", NEIGHBOUR)
    notice_of = notice(event, case, category, member_id, Template.OFFICER_ALERT, {}, told, page="")
    return replace(notice_of, kind="case.neighbour")


def _body(case: CaseRow, said: Text) -> Text:
    return Text(
        zh=f"{said.zh}（{case.number}，{case.place}）",
        en=f"{said.en} ({case.number}, {case.place})",
    )
