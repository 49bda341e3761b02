"""Terms and privacy text: title and body in Chinese and English. A change raises the version.

They say what the code does, and are a draft for the operator's counsel, not legal advice.
"""

from __future__ import annotations

LEGAL_VERSION = "2026-11"

TERMS = {
    "title": ("社区治理合伙人使用约定", "Terms of the neighbourhood partners service"),
    "text": (
        "上报完全自愿，不设排名。请先停稳再拍照；危及生命的情况请先拨打 110、119 或 120。"
        "经网格员受理的上报可得积分，积分只能兑换公布的权益，不能提现或转让，24 个月后到期。"
        "恶意制造问题或盗用他人照片的，积分可被更正并说明理由，您可以申诉。",
        "Reporting is voluntary and never ranked. Stop before you take a photo; where life is in "
        "danger call 110, 119 or 120 first. An accepted report earns points. Points buy the "
        "published entitlements only, cannot be cashed or given away, and expire after 24 months. "
        "Points gained by staging problems or by photos of others may be corrected with a reason; "
        "you may appeal.",
    ),
}
PRIVACY = {
    "title": ("隐私说明", "Privacy"),
    "text": (
        "我们只在您上报或签到的那一刻使用位置，不记录行踪。照片公开前会去除拍摄信息并经过内容检查。"
        "网格员只看到您在该案件中的代号。手机号只以加密摘要保存。您可以随时查看、导出或删除自己的数据。",
        "Your position is used only at the moment you report or check in; no tracks are kept. "
        "Photos lose their metadata and are checked before others see them. Officers see a "
        "pseudonym made for the one case. Your phone number is kept only as a keyed hash. You may "
        "see, export or delete your data at any time.",
    ),
}
