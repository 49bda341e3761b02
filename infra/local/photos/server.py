"""Listen on loopback and serve one bucket, in a thread of this process or as the whole of it."""

from __future__ import annotations

import logging
import sys
import threading
from http.server import ThreadingHTTPServer
from pathlib import Path

from infra.local.photos.connections import Handler
from infra.local.photos.objects import ObjectStore
from infra.local.photos.signatures import Keys

_log = logging.getLogger(__name__)


class PhotoServer(ThreadingHTTPServer):
    """A listening store; one thread per connection."""

    request_queue_size = 256
    daemon_threads = True

    def __init__(self, address: tuple[str, int], store: ObjectStore, keys: Keys) -> None:
        self.store = store
        self.keys = keys
        super().__init__(address, Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no error; anything else is, and says so."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            _log.exception("photo_store.request_failed")


class RunningStore:
    """A store served by a thread of this process."""

    def __init__(self, server: PhotoServer) -> None:
        self._server = server
        self.url = f"http://127.0.0.1:{server.server_port}"
        self._thread = threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop serving and close the port; safe to repeat."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def start_photo_store(
    port: int = 0, *, root: Path, bucket: str, access_key: str, secret_key: str
) -> RunningStore:
    """Serve ``root`` on loopback until ``stop`` is called; port 0 picks a free one."""
    return RunningStore(
        listen(port, root=root, bucket=bucket, access_key=access_key, secret_key=secret_key)
    )


def listen(port: int, *, root: Path, bucket: str, access_key: str, secret_key: str) -> PhotoServer:
    """Open the port on loopback without serving yet."""
    keys = Keys(access_key=access_key, secret_key=secret_key)
    return PhotoServer(("127.0.0.1", port), ObjectStore(root, bucket), keys)
