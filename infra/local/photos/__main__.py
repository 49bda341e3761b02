"""Run the photo store: ``python -m infra.local.photos --port N --root DIR``.

The access keys come from ``AWS_ACCESS_KEY_ID`` and ``AWS_SECRET_ACCESS_KEY``, because a command
line can be read by every process of the machine. SIGTERM and Ctrl-C stop it.
"""

from __future__ import annotations

import argparse
import os
import signal
from pathlib import Path

from infra.local.photos.server import listen


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m infra.local.photos")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--bucket", default="photos")
    options = parser.parse_args()
    server = listen(
        options.port,
        root=options.root,
        bucket=options.bucket,
        access_key=os.environ["AWS_ACCESS_KEY_ID"],
        secret_key=os.environ["AWS_SECRET_ACCESS_KEY"],
    )
    try:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        print(f"photo store: http://127.0.0.1:{server.server_port}/{options.bucket}", flush=True)
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


if __name__ == "__main__":
    main()
