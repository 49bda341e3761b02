"""The ledger's histories mirrored on the engine that ``ENGINE`` names.

On an engine of its own alone: each history begins by deleting every table there. An AWS account is
left to the parts that make and delete their own.
"""

from __future__ import annotations

import logging
import sys

from infra.prove.figures import CutShort, Figure, Show, at_least, at_most, complain
from infra.prove.ledger import engines, mirror
from infra.prove.ledger.seeds import Ended

EVENTS = 20_000
AT_ONCE = 1_000
SEED = 20260318


def prove(scale: float, show: Show) -> tuple[Figure, ...]:
    """The part of ``make prove ENGINE=…``; a smaller ``SCALE`` makes it shorter, and says so.

    Raises ``CutShort`` on Ctrl-C, and ``EngineUnavailable``.
    """
    if engines.wanted() == "aws":
        print("\nAWS 上不镜像 not mirrored on AWS: a history deletes every table", file=sys.stderr)
        return ()
    mirrored, seed = Ended(), SEED
    wanted = max(AT_ONCE, round(EVENTS * scale))
    logging.disable(logging.CRITICAL)
    try:
        with engines.opened() as database:
            assert database.endpoint_url is not None
            while mirrored.events < wanted and not mirrored.wrong:
                seed += 1
                mirrored.add(mirror.live(database.endpoint_url, -seed, AT_ONCE))
                show(f"{mirrored.events}/{wanted} events, {len(mirrored.wrong)} violations")
    except KeyboardInterrupt:
        raise CutShort(_figures(mirrored)) from None
    finally:
        logging.disable(logging.NOTSET)
        complain(mirrored.wrong)
    return _figures(mirrored)


def _figures(mirrored: Ended) -> tuple[Figure, ...]:
    return (
        at_least("ledger.engine_events", mirrored.events, "events", EVENTS),
        at_most("ledger.violations", len(mirrored.wrong), "violations", 0),
    )
