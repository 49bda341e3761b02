"""What is said about sessions, members, roles and rosters: code → (Chinese, English)."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    "session.missing": ("请先登录", "Sign in first"),
    "session.expired": ("登录已过期，请重新登录", "The session has expired, sign in again"),
    "session.revoked": ("登录已失效，请重新登录", "The session was ended, sign in again"),
    "session.code_used": (
        "登录码已被使用，请重新登录",
        "The login code was used already, sign in again",
    ),
    "session.code_invalid": (
        "登录码无效或已过期，请重新登录",
        "The login code is unknown or has expired, sign in again",
    ),
    "session.blocked": (
        "微信判定该账号存在风险，暂时无法登录",
        "WeChat does not let this account in for now",
    ),
    "wechat.away": ("微信暂时无响应，请稍后重试", "WeChat does not answer, try again later"),
    "member.not_found": ("没有找到该成员", "No such member"),
    "member.level.guest": ("访客", "Guest"),
    "member.level.phone": ("已绑定手机", "Phone bound"),
    "member.level.confirmed": ("职业已认证", "Occupation confirmed"),
    "phone.code_invalid": (
        "手机号授权已失效，请重新点击授权",
        "The phone code is unknown, used or expired; tap again",
    ),
    "phone.bound_elsewhere": (
        "该手机号已被其他账号绑定，请联系社区处理",
        "Another member has bound this phone; ask the community office",
    ),
    "verification.not_found": ("没有找到该认证码", "No such code"),
    "verification.own": ("不能为自己认证", "Nobody confirms himself"),
    "verification.expired": (
        "认证码已过期，请骑手重新获取",
        "The code has expired, ask for a new one",
    ),
    "verification.used": ("认证码已被使用", "The code was used already"),
    "verification.no_code": ("暂时无法生成认证码，请重试", "No code could be given, try again"),
    "occupation.rider": ("外卖骑手", "Delivery rider"),
    "occupation.courier": ("快递员", "Courier"),
    "occupation.driver": ("网约车、货车司机", "Driver"),
    "role.officer": ("网格员", "Grid officer"),
    "role.grid_lead": ("网格长", "Grid lead"),
    "role.community": ("社区", "Community"),
    "role.district": ("区县", "District"),
    "role.duty": ("区县值班", "County's duty list"),
    "role.keeper": ("驿站管理员", "Station keeper"),
    "role.merchant": ("商家", "Merchant"),
    "role.depot": ("站点负责人", "Depot"),
    "roster.bad_phone_key": ("phone_key 不是名册密钥", "phone_key is not a roster key"),
    "roster.unknown_role": ("没有这个角色", "No such role"),
    "roster.bad_scope": ("范围与角色不符", "The scope does not fit the role"),
    "roster.foreign_county": ("不是本县区的名册行", "The line is another county's"),
    "roster.foreign_scope": ("范围不属于本县区", "The scope is not this county's"),
    "roster.bad_display": ("岗位名称应为 1–20 字", "The post's name has 1 to 20 characters"),
    "roster.bad_time": ("起止时间格式不正确", "from and to are dates or RFC 3339 instants"),
    "roster.ends_before_start": ("结束时间应晚于开始时间", "It ends before it begins"),
    "roster.duplicate": ("同一文件中重复", "The line stands twice in the file"),
    "roster.too_many_roles": ("同一手机号角色过多", "Too many roles for one phone"),
}
