"""A second rider looks whether a thing is fixed (复拍).

A fix that was drawn, doubted or not shown by a photo is open for 72 hours to riders who pass by.
One answers it; the one condition on its row decides between two. "Not fixed" is told to the lead
and changes no state by itself; "fixed" stands in the case's history. Its points come once the
answer's photos have been accepted, for the first few answers of a day.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from models.alerts.entities import Event
from models.base.clock import Clock, business_day, utc_text
from models.base.errors import Conflict, Invalid, NotFound
from models.base.geometry import Position, distance_m
from models.base.ids import derived_id
from models.base.store import Transaction, get, get_many, put_if_absent, query, retrying
from models.cases import binding, changes, closing, recheck_rules, rules
from models.cases.changes import Doing, Request
from models.cases.entities import Action, Party, Purpose, Status, UploadState, Verdict
from models.cases.followers import any_reported
from models.cases.parallel import together
from models.cases.recheck_tables import RecheckRow
from models.cases.tables import SCHEMA, CaseEventRow, CaseRow, LimitRow, UploadRow
from models.people import links
from models.people.entities import Actor
from models.people.link_tables import LinkRow
from models.points.entities import Act
from models.points.ledger import Ledger

log = logging.getLogger(__name__)

ANSWERED = "case.rechecked"
MAX_SHOWN = 20
LOOKED_AT = 40
"""At once: some of them may have gone back to work."""

Handle = Callable[[Event], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRecheck:
    """What a rider found. ``lon, lat`` are GCJ-02 degrees, where he took the photos."""

    client_request_id: str
    fixed: bool
    photos: tuple[str, ...]
    lon: float
    lat: float
    accuracy_m: float
    captured_at: datetime

    @property
    def position(self) -> Position:
        return Position(lon=self.lon, lat=self.lat)

    def content(self, recheck_id: str) -> Mapping[str, Any]:
        """Everything but the request's id, for noticing other content under the same id."""
        return {
            "recheck": recheck_id,
            "fixed": self.fixed,
            "photos": list(self.photos),
            "lon": self.lon,
            "lat": self.lat,
            "accuracy_m": self.accuracy_m,
            "captured_at": self.captured_at.timestamp(),
        }


class Rechecks:
    """Opens rechecks, offers them to who is near, takes answers and pays them."""

    def __init__(self, *, clock: Clock, ledger: Ledger, key: bytes) -> None:
        self._clock = clock
        self._ledger = ledger
        self._key = key

    def handlers(self) -> Mapping[str, Handle]:
        """The topics of an answer and of what becomes of its photos, with what handles them."""
        return {ANSWERED: self.answered, binding.TOPIC: self.judged}

    def around(self, handlers: Mapping[str, Handle]) -> Mapping[str, Handle]:
        """The same handlers; a fix that was drawn is opened before it is told of."""
        return {
            topic: partial(self._opened, handle) if topic == "case.resolved" else handle
            for topic, handle in handlers.items()
        }

    def near(self, actor: Actor, *, lon: float, lat: float) -> list[Mapping[str, Any]]:
        """List the open rechecks within 500 m that he may answer.

        Nearest first, 20 at most. Four parallel queries, his links beside them; then, for each 40
        that are near until enough are found, one batch read of their cases, and the reporters of
        those that several reported.
        """
        if not rules.in_city(lon, lat):
            return []
        here, now = Position(lon=lon, lat=lat), self._clock.now()
        areas = recheck_rules.areas_near(here)
        calls: list[Callable[[], Any]] = [partial(links.linked_to, actor.member_id)]
        calls += [partial(_in_area, area, now) for area in areas]
        linked, *found = together(calls)
        his_own = {actor.member_id, *linked}
        near = [
            (away, row)
            for rows in found
            for row in rows
            if row.reporter_id not in his_own and row.resolver_id not in his_own
            if (away := distance_m(_place(row), here)) <= recheck_rules.NEAR_M
        ]
        near.sort(key=lambda pair: (pair[0], pair[1].recheck_id))
        open_ones: list[tuple[float, RecheckRow]] = []
        for start in range(0, len(near), LOOKED_AT):
            if len(open_ones) < MAX_SHOWN:
                open_ones += _open_to(actor, linked, near[start : start + LOOKED_AT], now)
        points = self._ledger.rule(recheck_rules.RULE, now).points
        return [_offer(row, away, points) for away, row in open_ones[:MAX_SHOWN]]

    def answer(self, actor: Actor, recheck_id: str, command: AnswerRecheck) -> Mapping[str, Any]:
        """Take an answer; repeated with the same id it is told again.

        Raises ``NotFound("recheck.not_found")``, ``Invalid`` with every bad field, ``Conflict``
        (``recheck.taken`` when another was quicker, ``recheck.over``, ``recheck.own_case``,
        ``recheck.own_work``, ``photo.refused``, ``request.reused``). One batch read, the case's
        reporters where several have joined, one transaction.
        """
        request = Request.of(actor, command.client_request_id, command.content(recheck_id))
        return retrying(lambda: self._answer(actor, recheck_id, command, request))

    def answered(self, event: Event) -> None:
        """Pay an answer whose photos were accepted before it came; safe to repeat."""
        self._pay(event.payload["recheck_id"])

    def judged(self, event: Event) -> None:
        """Pay an answer when the last of its photos is accepted; safe to repeat."""
        upload = get(UploadRow, event.payload["upload_id"])
        is_answer = upload is not None and upload.purpose == Purpose.RECHECK
        if upload is not None and is_answer and upload.report_id is not None:
            self._pay(upload.report_id)

    def _pay(self, recheck_id: str) -> None:
        """Give the points once, if every photo is ready and WeChat has let it pass.

        Which answers of a day are paid the ledger decides: one above the cap is an entry of zero.
        """
        row = get(RecheckRow, recheck_id)
        if row is None or row.member_id is None or row.answered_at is None:
            return
        uploads = get_many([(UploadRow, (photo,)) for photo in row.photos or ()])
        if not all(isinstance(one, UploadRow) and _is_accepted(one) for one in uploads):
            return
        member_id, case_id, now = row.member_id, row.case_id, self._clock.now()
        act = Act(rule=recheck_rules.RULE, at=row.answered_at)
        self._ledger.post(
            lambda: self._ledger.plan_award(
                member_id=member_id,
                county=row.county,
                transfer_id=derived_id("trf", "recheck", row.recheck_id),
                act=act,
                now=now,
                matures_at=None,
                source={"case": case_id, "recheck": row.recheck_id},
            )
        )

    def _opened(self, handle: Handle, event: Event) -> None:
        case = get(CaseRow, event.payload["case_id"])
        if case is not None and case.status == Status.RESOLVED and case.resolved_at is not None:
            self._open(case, case.resolved_at)
        handle(event)

    def _open(self, case: CaseRow, resolved_at: datetime) -> None:
        is_drawn = recheck_rules.is_sampled(
            self._key,
            case.case_id,
            case.rounds,
            without_photo=not case.after,
            reopened=case.reopened,
        )
        if not is_drawn:
            return
        place = Position(lon=case.lon, lat=case.lat)
        put_if_absent(
            RecheckRow(
                recheck_id_of(case.case_id, case.rounds),
                schema=SCHEMA,
                county=case.county,
                case_id=case.case_id,
                round=case.rounds,
                category=case.category,
                category_version=case.category_version,
                place=case.place,
                lon=case.lon,
                lat=case.lat,
                resolved_at=resolved_at,
                closes_at=resolved_at + recheck_rules.OPEN_FOR,
                area=recheck_rules.area_of(place),
                reporter_id=case.member_id,
                resolver_id=case.claimer_id,
            )
        )

    def _answer(
        self, actor: Actor, recheck_id: str, command: AnswerRecheck, request: Request
    ) -> Mapping[str, Any]:
        recheck = get(RecheckRow, recheck_id) if rules.is_id(recheck_id) else None
        if recheck is None:
            raise NotFound("recheck.not_found")
        event_id, now = f"n{recheck_id}", self._clock.now()
        case, event, limit, link, *rows = get_many(
            [
                (CaseRow, (recheck.case_id,)),
                (CaseEventRow, (recheck.case_id, event_id)),
                (LimitRow, (actor.member_id, _limit_kind(now))),
                (LinkRow, (actor.member_id,)),
                *((UploadRow, (photo,)) for photo in dict.fromkeys(command.photos)),
            ]
        )
        assert isinstance(case, CaseRow)
        uploads = [row if isinstance(row, UploadRow) else None for row in rows]
        if isinstance(event, CaseEventRow):
            answer = changes.earlier_answer([event], request)
            if answer is None:
                raise Conflict("recheck.taken")
            return answer
        refusal = _refusal(recheck, case, actor, links.others_of(link), now)
        if refusal is not None:
            raise Conflict(refusal)
        _check(recheck, command, uploads, actor, now)
        counted = limit if isinstance(limit, LimitRow) else None
        rule = self._ledger.rule(recheck_rules.RULE, now)
        answered = counted.version if counted is not None else 0
        is_paid = rule.per_day is None or answered < rule.per_day
        doing = Doing(
            action=Action.RECHECK,
            party=Party.CHECKER,
            now=now,
            member_id=actor.member_id,
            reason="fixed" if command.fixed else "not_fixed",
            request=request,
        )
        answer = {
            "id": recheck_id,
            "fixed": command.fixed,
            "answered_at": utc_text(now),
            "points": rule.points if is_paid else 0,
        }
        tx = Transaction()
        tx.update("recheck", recheck, _taken(actor, command, now, is_paid=is_paid), _is_free())
        tx.check(
            "case",
            CaseRow,
            case.case_id,
            condition=(CaseRow.status == case.status) & (CaseRow.rounds == recheck.round),
        )
        tx.guard("event", changes.event_row(case, event_id, doing, answer))
        binding.bind(tx, [row for row in uploads if row], case, recheck_id)
        if is_paid:
            _count(tx, actor, counted, now)
        facts = {"recheck_id": recheck_id, "fixed": "yes" if command.fixed else None}
        closing.tell(tx, ANSWERED, case, now, key=event_id, **facts)
        if not command.fixed:
            closing.tell(tx, "case.contested", case, now, key=f"{event_id}.contested")
        changes.commit(tx)
        log.info("case.rechecked", extra={"case_id": case.case_id, "fixed": command.fixed})
        return answer


def recheck_id_of(case_id: str, round_number: int) -> str:
    """The id of the look at one round's fix."""
    return derived_id("rck", case_id, str(round_number))


def shown(case: CaseRow) -> RecheckRow | None:
    """The answered recheck of a case's present round; None when there is none."""
    row = get(RecheckRow, recheck_id_of(case.case_id, case.rounds))
    return row if row is not None and row.answered_at is not None else None


def _in_area(area: str, now: datetime) -> list[RecheckRow]:
    rows: list[RecheckRow] = query(
        RecheckRow.by_area, area, RecheckRow.closes_at > now, limit=100, page_size=100
    )
    return rows


def _open_to(
    actor: Actor, linked: frozenset[str], near: Sequence[tuple[float, RecheckRow]], now: datetime
) -> list[tuple[float, RecheckRow]]:
    """Those of some rechecks that somebody may answer."""
    found = get_many([(CaseRow, (row.case_id,)) for _, row in near])
    seen = [
        (pair, case) for pair, case in zip(near, found, strict=True) if isinstance(case, CaseRow)
    ]
    refusals = together(
        [partial(_refusal, row, case, actor, linked, now) for (_, row), case in seen]
    )
    return [pair for (pair, _), why in zip(seen, refusals, strict=True) if why is None]


def _refusal(
    recheck: RecheckRow, case: CaseRow, actor: Actor, linked: frozenset[str], now: datetime
) -> str | None:
    """Why somebody may not answer; None when he may. ``linked`` are those close to him."""
    if recheck.answered_at is not None:
        return "recheck.taken"
    is_standing = case.rounds == recheck.round and case.status in (Status.RESOLVED, Status.CLOSED)
    if now >= recheck.closes_at or not is_standing:
        return "recheck.over"
    if actor.member_id == recheck.resolver_id or changes.parties_in(actor, case):
        return "recheck.own_work"
    if recheck.resolver_id in linked or any_reported({actor.member_id, *linked}, case):
        return "recheck.own_case"
    return None


def _check(
    recheck: RecheckRow,
    command: AnswerRecheck,
    uploads: Sequence[UploadRow | None],
    actor: Actor,
    now: datetime,
) -> None:
    errors = recheck_rules.answer_errors(
        case=_place(recheck),
        resolved_at=recheck.resolved_at,
        here=command.position,
        accuracy_m=command.accuracy_m,
        captured_at=command.captured_at,
        photos=command.photos,
        now=now,
    )
    errors += binding.refusals(uploads, member_id=actor.member_id, purpose=Purpose.RECHECK)
    if errors:
        raise Invalid(errors[0].code if len(errors) == 1 else None, fields=errors)


def _taken(actor: Actor, command: AnswerRecheck, now: datetime, *, is_paid: bool) -> list[Any]:
    return [
        RecheckRow.area.remove(),
        RecheckRow.member_id.set(actor.member_id),
        RecheckRow.fixed.set(command.fixed),
        RecheckRow.photos.set(list(command.photos)),
        RecheckRow.answered_at.set(now),
        RecheckRow.is_paid.set(is_paid),
    ]


def _is_free() -> Any:
    return RecheckRow.recheck_id.exists() & RecheckRow.answered_at.does_not_exist()


def _count(tx: Transaction, actor: Actor, counted: LimitRow | None, now: datetime) -> None:
    row = LimitRow(actor.member_id, _limit_kind(now))
    actions = [
        LimitRow.version.add(1),
        LimitRow.schema.set(SCHEMA),
        LimitRow.ttl.set(int((now + rules.DAY * 2).timestamp())),
    ]
    unchanged = (
        LimitRow.version.does_not_exist()
        if counted is None
        else LimitRow.version == counted.version
    )
    tx.update("limit", row, actions, unchanged)


def _limit_kind(now: datetime) -> str:
    return f"recheck#{business_day(now)}"


def _place(row: RecheckRow) -> Position:
    return Position(lon=row.lon, lat=row.lat)


def _offer(row: RecheckRow, away_m: float, points: int) -> Mapping[str, Any]:
    return {
        "id": row.recheck_id,
        "category": row.category,
        "category_version": row.category_version,
        "place": row.place,
        "lon": row.lon,
        "lat": row.lat,
        "distance_m": rules.coarse_m(away_m),
        "closes_at": utc_text(row.closes_at),
        "points": points,
    }


def _is_accepted(upload: UploadRow) -> bool:
    return upload.state == UploadState.READY and upload.verdict == Verdict.PASS
