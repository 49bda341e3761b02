"""WeCom's group robots: one POST, and a key that is all the permission there is.

*Source:* 群机器人配置说明 (read 2026-11): text of at most 2048 bytes, 20 messages a minute.
"""

from __future__ import annotations

from models.gateways.wechat.transport import Transport


class Robots:
    """Speaks in groups. ``transport`` is to WeCom's own host."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def say(self, key: str, text: str) -> None:
        """Say a text in the group whose robot has this key.

        Raises ``RobotUnknown``, ``LimitReached``, ``ArgumentInvalid``, ``Unreachable``.
        """
        body = {"msgtype": "text", "text": {"content": text}}
        self._transport.post("/cgi-bin/webhook/send", {"key": key}, body)
