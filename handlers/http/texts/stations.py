"""What is said about stations: code → (Chinese, English)."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    "station.not_found": ("没有找到这个驿站", "No such station"),
    "check_in.code_invalid": ("这不是本站的打卡码", "This is not a code of this station"),
    "check_in.code_expired": ("打卡码已过期，请重新扫码", "The code has expired, scan again"),
    "check_in.too_far": (
        "离驿站还有 {distance_m} 米，{allowed_m} 米以内才能打卡",
        "You are {distance_m} m away; {allowed_m} m are allowed",
    ),
    "check_in.too_soon": (
        "同一驿站每 4 小时只能打卡一次",
        "Four hours must lie between two visits to a station",
    ),
    "check_in.own_station": (
        "不能在自己管理的驿站打卡",
        "A keeper does not check in at his own station",
    ),
    "check_in.reason.first_of_the_day": ("今日首次打卡", "First check-in of the day"),
    "check_in.reason.once_a_day": (
        "打卡积分每天一次，今天已得",
        "Points come once a day, and today's have come",
    ),
    "check_in.reason.monthly_limit": (
        "本月打卡积分已领满，打卡照常记录",
        "This month's points for check-ins have all come; the visit counts all the same",
    ),
    "check_in.reason.overall_limit": (
        "今日或本月积分已到上限，打卡照常记录",
        "The day's or the month's points are all earned; the visit counts all the same",
    ),
    "door_report.too_far": (
        "离驿站还有 {distance_m} 米，请到门口再报",
        "You are {distance_m} m away; report it at the door",
    ),
    "door_report.outside_hours": (
        "现在不是驿站的开放时间",
        "The station is not promised to be open now",
    ),
    "station.kind.neighbor": ("睦邻驿站", "Neighbour station"),
    "station.kind.warm_new": ("暖新驿站", "Warm-new station"),
    "station.kind.caring": ("爱心驿站", "Caring station"),
    "station.kind.service": ("服务驿站", "Service station"),
    "station.door.open": ("已开门", "Open"),
    "station.door.closed": ("已关门", "Closed"),
    "station.door.unverified_closed": (
        "骑手反映门锁着，待核实",
        "Riders found it locked, not verified",
    ),
    "station.facility.drinking_water": ("饮水", "Drinking water"),
    "station.facility.seating": ("座椅", "Seating"),
    "station.facility.charging": ("充电", "Charging"),
    "station.facility.medicine_box": ("药箱", "Medicine box"),
    "station.facility.microwave": ("微波炉", "Microwave"),
    "station.facility.air_conditioning": ("空调", "Air conditioning"),
    "station.facility.toilet": ("卫生间", "Toilet"),
    "station.facility.raincoat": ("雨衣", "Raincoats"),
    "station.facility.tool_box": ("工具箱", "Tool box"),
    "station.facility.air_pump": ("打气筒", "Air pump"),
    "station.facility.wifi": ("无线网", "Wi-Fi"),
    "station.facility.books": ("图书", "Books"),
    "station.facility.fridge": ("冰箱", "Fridge"),
    "station.facility.aed": ("除颤器", "Defibrillator"),
    "station.facility.code_lock": ("凭码开门", "Code lock"),
}
