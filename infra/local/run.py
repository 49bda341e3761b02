"""``make run``: the whole service on this machine, until Ctrl-C.

Data live in ``.local/data`` and survive; a part that dies is started again.
"""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import IO

from infra.local.seed import plant
from infra.local.stack import ROOT, Ports, Stack


def main() -> int:
    """Start, seed, say where everything is, and watch over the parts."""
    stack = stack_here()
    ports = stack.ports
    taken = [port for port in (ports.api, ports.wechat, ports.engine, ports.photos) if _taken(port)]
    if taken:
        print(
            f"端口 {', '.join(map(str, taken))} 已被占用；可用 PORT=、WECHAT_PORT=、"
            "DYNAMODB_PORT=、PHOTOS_PORT= 另选 (ports in use)",
            file=sys.stderr,
        )
        return 1
    held = hold(stack.home)
    if held is None:
        print(f"数据 {stack.home} 正被另一个 make run 使用 (data in use)", file=sys.stderr)
        return 1
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        stack.start()
        plant.in_stack(stack, progress=print)
        _announce(stack)
        while True:
            time.sleep(1)
            for part in stack.dead():
                print(f"{part} 意外停止，正在重启 (restarting {part})", file=sys.stderr)
                stack.start_part(part)
    except KeyboardInterrupt:
        print("正在停止，数据保留 (stopping, data stay)…", flush=True)
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not leave parts behind
        stack.stop()
        held.close()
    return 0


def stack_here() -> Stack:
    """The stack that ``make run`` keeps here: its ports and its data, by the environment."""
    ports = Ports(
        api=int(os.environ.get("PORT", "8000")),
        wechat=int(os.environ.get("WECHAT_PORT", "8001")),
        engine=int(os.environ.get("DYNAMODB_PORT", "8002")),
        photos=int(os.environ.get("PHOTOS_PORT", "8003")),
    )
    return Stack(home=Path(os.environ.get("DATA", ROOT / ".local" / "data")), ports=ports)


def hold(home: Path) -> IO[str] | None:
    """Take a data folder for this process, while the answer lives; None when another has it.

    Two engines on one file would each decide conditions alone.
    """
    lock = (home / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    return lock


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
