"""``make demo``: the main job once, on real photos, against the real stack on free ports."""

from __future__ import annotations

import sys
import time
from datetime import time as time_of_day

from infra.local.demo.checking_in import check_in
from infra.local.demo.fixing import close, handle, join_again, report
from infra.local.demo.going_stale import go_stale
from infra.local.demo.opening import Cast, grant_roles, send_photos, sign_in
from infra.local.demo.proving import prove
from infra.local.demo.redeeming import redeem
from infra.local.demo.stage import NotAsToldError, Stage
from infra.local.demo.turning_out import turn_out
from infra.local.seed import plant
from infra.local.stack import temporary_stack

TEN = time_of_day(10)
"""The story begins at ten in China: an officer's phone is silent at night and before a digest."""


def main() -> int:
    """Tell the story; 0 when everything went as told."""
    started = time.monotonic()
    with temporary_stack(extra={"METER": "1", "CHECKS_ANSWERS": "1"}) as stack:
        counts = plant.in_stack(stack)
        print(f"信阳已就绪 (seeded): {counts}")
        stage = Stage(stack)
        stage.begin_at(TEN)
        try:
            _tell(stage, counts["roster"])
        except NotAsToldError as error:
            print(f"\n✗ {error}", file=sys.stderr)
            for part in ("api", "pump"):
                log = stack.home / "logs" / f"{part}.log"
                print(f"--- {part}\n{log.read_text(errors='replace')[-1500:]}", file=sys.stderr)
            return 1
    print(f"\n✓ 全部如约 (all as told), {time.monotonic() - started:.0f} s")
    return 0


def _tell(stage: Stage, imported: int) -> None:
    cast = Cast(stage)
    grant_roles(stage, cast, imported)
    sign_in(stage, cast)
    send_photos(stage, cast)
    case_id = report(stage, cast)
    join_again(stage, cast, case_id)
    handle(stage, cast, case_id)
    close(stage, cast, case_id)
    go_stale(stage, cast)
    turn_out(stage, cast)
    check_in(stage, cast)
    redeem(stage, cast)
    prove(stage, cast)


if __name__ == "__main__":
    sys.exit(main())
