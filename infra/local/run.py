"""``make run``: the whole service on this machine, until Ctrl-C.

Data live in ``.local/data`` and survive; a part that dies is started again.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from pathlib import Path

from infra.local.seed import plant
from infra.local.stack import ROOT, Ports, Stack


def main() -> int:
    """Start, seed, say where everything is, and watch over the parts."""
    ports = Ports(
        api=int(os.environ.get("PORT", "8000")),
        wechat=int(os.environ.get("WECHAT_PORT", "8001")),
        engine=int(os.environ.get("DYNAMODB_PORT", "8002")),
        photos=int(os.environ.get("PHOTOS_PORT", "8003")),
    )
    taken = [port for port in (ports.api, ports.wechat, ports.engine, ports.photos) if _taken(port)]
    if taken:
        print(
            f"端口 {', '.join(map(str, taken))} 已被占用；可用 PORT=、WECHAT_PORT=、"
            "DYNAMODB_PORT=、PHOTOS_PORT= 另选 (ports in use)",
            file=sys.stderr,
        )
        return 1
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    stack = Stack(home=Path(os.environ.get("DATA", ROOT / ".local" / "data")), ports=ports)
    try:
        stack.start()
        plant.in_stack(stack, progress=print)
        _announce(stack)
        while not stopping.wait(1):
            for part in stack.dead():
                print(f"{part} 意外停止，正在重启 (restarting {part})", file=sys.stderr)
                stack.start_part(part)
    finally:
        stack.stop()
    return 0


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def _announce(stack: Stack) -> None:
    print(
        f"\n接口 API             {stack.api_url}/v1/health"
        f"\n契约 OpenAPI         {stack.api_url}/v1/openapi.json"
        f"\n微信模拟器 WeChat     {stack.wechat_url}/"
        f"\n照片 photos          {stack.photos_url}/"
        f"\n数据 data            {stack.home}"
        "\n按 Ctrl-C 停止；数据保留 (Ctrl-C stops everything, data stay)",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
