"""Taking in a file of codes: judged whole, then put code by code; a repeated file does nothing."""

from __future__ import annotations

import csv
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from models.base.clock import Clock
from models.base.errors import Conflict, FieldError, Invalid, NotFound
from models.base.ids import derived_id
from models.base.store import get, get_many, put_if_absent
from models.people.importing import FIRST_LINE, ImportReport, read_csv
from models.rewards.changes import ID
from models.rewards.entities import CodeSource, Reward
from models.rewards.pool_tables import PoolBatchRow, PoolUnitRow
from models.rewards.pools import Pools
from models.rewards.tables import RewardRow

log = logging.getLogger(__name__)

COLUMN = "code"
LONGEST = 128
MOST_CODES = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeFile:
    """A CSV with a column ``code``; ``batch`` is its name for good, ``actor`` who imports it."""

    reward_id: str
    batch: str
    csv: str
    actor: str


class PoolImports:
    """What admins do to pools."""

    def __init__(self, *, clock: Clock, pools: Pools) -> None:
        self._clock = clock
        self._pools = pools

    def take_in(self, file: CodeFile) -> ImportReport:
        """Add a file's codes to the reward's pool; one bad line and nothing is written.

        Lines: ``pool.code_missing``, ``.code_too_long``, ``.code_unreadable``, ``.code_repeated``
        (in the file), ``.code_known`` (in a pool, this or another). A run that was interrupted is
        finished by repeating it, and goes on where it stopped. Raises
        ``NotFound("reward.not_found")``, ``Conflict("pool.not_pooled")``,
        ``Conflict("pool.batch_reused")`` for another content under the name of a batch, and
        ``Invalid`` for a file that is none. 3 write units a code.
        """
        reward = _pooled(file.reward_id)
        codes = _codes(file.csv)
        batch_id = derived_id("bat", file.reward_id, file.batch)
        unit_ids = [self._pools.unit_id(code) for code in codes]
        batches = _batches_of(unit_ids)
        refused = _refused(codes, batches, unit_ids, batch_id)
        if refused:
            return ImportReport(refused=refused)
        self._open_batch(batch_id, file, reward, codes)
        numbered = zip(range(FIRST_LINE, FIRST_LINE + len(codes)), unit_ids, codes, strict=True)
        return self._put(reward, batch_id, [line for line in numbered if line[1] not in batches])

    def _open_batch(
        self, batch_id: str, file: CodeFile, reward: Reward, codes: Sequence[str]
    ) -> None:
        content = self._pools.content(list(codes))
        row = PoolBatchRow(
            batch_id,
            county=reward.county,
            reward_id=reward.reward_id,
            batch=file.batch,
            content=content,
            units=len(codes),
            imported_by=file.actor,
            imported_at=self._clock.now(),
        )
        if put_if_absent(row):
            return
        standing = get(PoolBatchRow, batch_id)
        if standing is None or standing.content != content:
            raise Conflict("pool.batch_reused")

    def _put(
        self, reward: Reward, batch_id: str, codes: Sequence[tuple[int, str, str]]
    ) -> ImportReport:
        """Put codes, each with its line and its id, that no pool had a moment ago."""
        added, lost = 0, []
        for number, unit_id, code in codes:
            row = PoolUnitRow(
                unit_id,
                county=reward.county,
                reward_id=reward.reward_id,
                batch_id=batch_id,
                sealed=self._pools.seal(unit_id, code),
                free_in=reward.reward_id,
            )
            if put_if_absent(row):
                added += 1
                continue
            standing = get(PoolUnitRow, unit_id)
            if standing is None or standing.batch_id != batch_id:
                lost.append((number, "pool.code_known"))  # another file was quicker
        log.info(
            "pool.imported",
            extra={"reward_id": reward.reward_id, "batch_id": batch_id, "added": added},
        )
        return ImportReport(added=added, refused=tuple(lost))


def _pooled(reward_id: str) -> Reward:
    row = get(RewardRow, reward_id) if ID.fullmatch(reward_id) else None
    if row is None:
        raise NotFound("reward.not_found")
    reward = row.entity()
    if reward.codes is not CodeSource.POOL:
        raise Conflict("pool.not_pooled")
    return reward


def _codes(text: str) -> list[str]:
    try:
        lines = read_csv(text)
    except csv.Error as error:
        raise Invalid(fields=[FieldError(field="csv", code="field.invalid")]) from error
    bad = None
    if not lines or COLUMN not in lines[0]:
        bad = FieldError(field="csv", code="field.invalid")
    elif len(lines) > MOST_CODES:
        bad = FieldError(field="csv", code="field.too_long", limit=MOST_CODES)
    if bad is not None:
        raise Invalid(fields=[bad])
    return [line.get(COLUMN, "").strip() for line in lines]


def _batches_of(unit_ids: Sequence[str]) -> dict[str, str]:
    """Which of the codes are in a pool, and by which batch they came."""
    rows = get_many([(PoolUnitRow, (unit_id,)) for unit_id in dict.fromkeys(unit_ids)])
    return {row.unit_id: row.batch_id for row in rows if isinstance(row, PoolUnitRow)}


def _refused(
    codes: Sequence[str], batches: dict[str, str], unit_ids: Sequence[str], batch_id: str
) -> tuple[tuple[int, str], ...]:
    refused: list[tuple[int, str]] = []
    seen: set[str] = set()
    for number, (code, unit_id) in enumerate(zip(codes, unit_ids, strict=True), FIRST_LINE):
        wrong = _wrong_with(code)
        if wrong is None and unit_id in seen:
            wrong = "pool.code_repeated"
        if wrong is None and batches.get(unit_id, batch_id) != batch_id:
            wrong = "pool.code_known"
        seen.add(unit_id)
        if wrong is not None:
            refused.append((number, wrong))
    return tuple(refused)


def _wrong_with(code: str) -> str | None:
    if not code:
        return "pool.code_missing"
    if len(code) > LONGEST:
        return "pool.code_too_long"
    return None if code.isprintable() else "pool.code_unreadable"
