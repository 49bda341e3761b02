"""What an admin is told about a year that fails, with its figures: code → (Chinese, English)."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    "solvency.refused": (
        "没有发布：按此规则推演一年，积分会兑付不了或够不着权益",
        "Not published: a simulated year under these rules leaves points without worth",
    ),
    "solvency.uncovered": (
        "按此规则，{county} 从 {month} 月末起，未兑付积分超过有资金保障的库存；"
        "最多时（{worst_month}）欠 {liability} 分，库存只能承接 {stock} 分，缺 {short} 分。"
        "请增加名额或资金，或减少发放",
        "Under these rules {county} owes more than its funded stock takes in from the end of "
        "{month}: at the worst ({worst_month}) {liability} points against {stock}, {short} short. "
        "Raise quotas or the fund, or give fewer points",
    ),
    "solvency.underfunded": (
        "按此规则，到 {month} 月末，各县合计欠 {liability} 分，"
        "而共用的资金（{funds}）只够承接 {stock} 分，缺 {short} 分。请增加资金或减少发放",
        "Under these rules all counties together owe {liability} points at the end of {month}, and "
        "the funds they share ({funds}) carry {stock}: {short} short. Raise them or give fewer "
        "points",
    ),
    "solvency.empty": (
        "按此规则，{county} 没有人人可兑、且有名额的权益。请先给它名额",
        "Under these rules {county} has nothing in stock that everybody may take. Give it a quota",
    ),
    "solvency.unreachable": (
        "按此规则，{county} 活跃程度居中的成员 60 天只能攒到 {points} 分，"
        "而最便宜的权益要 {cheapest} 分。请降价，或让日常行为（如打卡）能攒到",
        "Under these rules the member in the middle in {county} has {points} points after 60 days, "
        "and the cheapest item costs {cheapest}. Lower a price, or pay more for everyday acts",
    ),
    "solvency.scarce": (
        "按此规则，{county} 活跃程度居中的成员 60 天能攒 {points} 分，"
        "他买得起的权益两个月共 {units} 份，而要排队的有 {needed} 人。请增加便宜权益的名额",
        "Under these rules the member in the middle in {county} has {points} points after 60 days; "
        "there are {units} items that he can pay for {needed} members. Raise the quota of cheap "
        "items",
    ),
    "solvency.stranded": (
        "按此规则，{county} 较不活跃的 {share}% 成员一年攒 {points} 分，"
        "而他们买得起的权益（不超过 {lifetime} 分）一年只能承接 {stock} 分。请增加便宜权益的名额",
        "Under these rules the less active {share}% in {county} earn {points} points a year, and "
        "what they can ever pay (up to {lifetime} points) takes in {stock}. Raise the quota of "
        "cheap items",
    ),
}
