"""Run the simulator: python -m infra.local.wechat --port N --state FILE."""

import argparse
import signal
import threading
from pathlib import Path

from infra.local.wechat.simulator import start_simulator


def main() -> None:
    """Serve until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(prog="infra.local.wechat", description=__doc__)
    parser.add_argument("--port", type=int, default=8001)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--state", type=Path, help="SQLite file; in memory without it")
    parser.add_argument("--mini-push-url", help="callback of the mini-program")
    parser.add_argument("--service-push-url", help="callback of the service account")
    given = parser.parse_args()

    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    simulator = start_simulator(given.port, given.state, host=given.host)
    urls = {
        "mini_push_url": given.mini_push_url,
        "service_push_url": given.service_push_url,
    }
    simulator.control("configure", **{name: url for name, url in urls.items() if url})
    print(f"微信模拟器 {simulator.base_url}", flush=True)
    stopped.wait()
    simulator.stop()


if __name__ == "__main__":
    main()
