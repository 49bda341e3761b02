"""Start and stop the simulator inside this process; `__main__` does it for a process."""

import json
import threading
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.local.wechat.pushes import Pusher
from infra.local.wechat.server import Server
from infra.local.wechat.store import Store
from infra.local.wechat.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulator:
    """A running simulator; `base_url` has no slash at its end."""

    base_url: str
    store: Store
    server: Server
    pusher: Pusher
    thread: threading.Thread

    def control(self, name: str, **body: object) -> dict[str, Any]:
        """POST to the control API and return its answer; HTTPError when it is refused."""
        request = urllib.request.Request(
            f"{self.base_url}/_control/{name}", data=json.dumps(body).encode(), method="POST"
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=10) as answer:
            return dict(json.load(answer))

    def stop(self) -> None:
        """Stop serving and pushing; what is stored stays in the state file."""
        self.server.stop()
        self.pusher.stop()
        self.thread.join(timeout=5)
        self.store.close()


def start_simulator(
    port: int = 0, state: Path | None = None, *, host: str = "127.0.0.1"
) -> Simulator:
    """Start on a port (0: any free one), with a state file or, without one, in memory."""
    if state is not None:
        state.parent.mkdir(parents=True, exist_ok=True)
    store = Store(state)
    world = World(store)
    pusher = Pusher(world)
    server = Server((host, port), world, pusher)
    thread = threading.Thread(
        target=server.serve_forever, args=(0.05,), name="wechat-simulator", daemon=True
    )
    pusher.start()
    thread.start()
    base_url = f"http://{host}:{server.server_address[1]}"
    return Simulator(base_url=base_url, store=store, server=server, pusher=pusher, thread=thread)
