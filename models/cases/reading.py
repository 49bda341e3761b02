"""One case or one report, whole: for the official who handles it, for the rider who sent it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from models.base.clock import Clock, utc_text
from models.base.errors import NotFound
from models.base.geometry import Position
from models.base.store import get, get_many
from models.calendar.rules import WorkingTime
from models.cases import awards, changes, crediting, filing, rules, trust, workflow
from models.cases.categories import Categories
from models.cases.closing import is_first
from models.cases.entities import Action, Facts, Party, Status, Step, UploadState, Verdict
from models.cases.exif import exif_gap_m
from models.cases.followers import followed, known_reports_of
from models.cases.handling import Handling
from models.cases.parallel import together
from models.cases.photos import PhotoAddresses
from models.cases.related import related_to
from models.cases.similar import similar_to
from models.cases.states import facts_of, is_verdict_open, remaining_of
from models.cases.tables import CaseEventRow, CaseRow, ReportRow, UploadRow
from models.people.entities import Actor
from models.points.ledger import transfer

_PRIVATE_ACTIONS = frozenset({Action.NOTE.value})


class Reading:
    """Shows cases and reports as plain JSON-ready values, with codes for every state."""

    def __init__(
        self,
        *,
        clock: Clock,
        working: WorkingTime,
        categories: Categories,
        handling: Handling,
        addresses: PhotoAddresses,
        pseudonym_key: bytes,
    ) -> None:
        self._clock = clock
        self._working = working
        self._categories = categories
        self._handling = handling
        self._addresses = addresses
        self._key = pseudonym_key

    def case(self, actor: Actor, case_id: str) -> Mapping[str, Any]:
        """A case for an official in scope. Raises ``NotFound("case.not_found")``.

        Photos that WeChat has not judged carry ``checked: false``; a text it has not let pass is
        not shown. Reporters stand under the case's pseudonyms.
        """
        case = changes.case_in_scope(actor, case_id)
        calls: list[Callable[[], Any]] = [
            partial(changes.history, case_id),
            partial(known_reports_of, case),
            partial(similar_to, actor, case, self._categories, self._clock.now()),
            partial(trust.hints_of, case),
        ]
        events, reports, similar, hints = together(calls)
        uploads = _uploads([*case.photos, *(case.after or ())])
        return {
            **self._shown(case),
            "claim_due_at": utc_text(case.claim_due_at),
            "reporter_count": case.reporter_count,
            "receiver": case.receiver,
            "external_ref": case.external_ref,
            "accepted_at": _text(case.accepted_at),
            "related": related_to(case),
            "similar": similar,
            "signals": hints,
            "object_id": case.object_id,
            "lon": case.lon,
            "lat": case.lat,
            "accuracy_m": case.accuracy_m,
            "routing": case.routing,
            "reporters": [self._reporter(report) for report in reports],
            "photos": self._evidence(uploads, case.photos, case),
            "after_photos": self._evidence(uploads, case.after or (), case),
            "history": [_told(event) for event in _in_order(events)],
            "proposal": _proposed(case),
            "extensions": case.extensions or 0,
            "allowed_actions": self._allowed(actor, case, reports),
        }

    def report(self, actor: Actor, report_id: str) -> Mapping[str, Any]:
        """A report for its sender: timeline, routing, photos, points.

        Raises ``NotFound("report.not_found")``. He sees his own photos at once, anybody else's
        after they were published; officials' notes are not for him.
        """
        report = changes.own_report(actor, report_id)
        sent = get(CaseRow, report.case_id)
        if sent is None:
            raise NotFound("report.not_found")
        case = followed(sent)
        events = changes.history(sent.case_id)
        since = events if case is sent else [*events, *changes.history(case.case_id)]
        own = report.photos or sent.photos
        uploads = _uploads([*own, *(case.after or ())])
        first = next((e for e in events if e.event_id == changes.version_id(1)), None)
        return {
            "id": report.report_id,
            "joined": report.ordinal > 1,
            "merged_from": None if case is sent else sent.number,
            "parts": related_to(sent)["parts"],
            "category": report.category,
            "category_version": report.category_version,
            "submitted_at": utc_text(report.submitted_at),
            "text": report.text,
            "text_verdict": report.text_verdict,
            "case": self._shown(case),
            "routing": _routing(case, first),
            "photos": self._photos(uploads, own, owner=actor.member_id),
            "after_photos": self._photos(uploads, case.after or ()),
            "history": [
                {**_told(event), "text": _words(event, is_own=is_first(report, case))}
                for event in _in_order(since)
                if event.action not in _PRIVATE_ACTIONS
            ],
            "points": self._points(report),
            "allowed_actions": self._own_actions(report, case),
        }

    def _shown(self, case: CaseRow) -> dict[str, Any]:
        category = self._categories.of(case.category, case.category_version)
        remaining, clock = remaining_of(case, self._clock.now(), self._working)
        return {
            "id": case.case_id,
            "number": case.number,
            "category": case.category,
            "category_version": case.category_version,
            "level": case.severity,
            "status": case.status,
            "version": case.version,
            "grid_name": case.grid_name,
            "place": case.place,
            "created_at": utc_text(case.created_at),
            "due_at": utc_text(case.due_at),
            "remaining_seconds": int(remaining.total_seconds()),
            "clock": clock,
            "resume_at": _text(case.resume_at),
            "claimed_by": case.claimed_by,
            "claimed_at": _text(case.claimed_at),
            "resolved_at": _text(case.resolved_at),
            "resolution": case.resolution,
            "closed_at": _text(case.closed_at),
            "closed_as": case.closed_as,
            "reason": case.reason,
            "reopened": case.reopened,
            "call_first": list(category.call_first),
        }

    def _allowed(
        self, actor: Actor, case: CaseRow, reports: Sequence[ReportRow]
    ) -> list[Mapping[str, Any]]:
        is_reporter = any(report.member_id == actor.member_id for report in reports)
        facts = self._handling.facts(actor, case, is_reporter=is_reporter)
        rows = workflow.allowed(Status(case.status), changes.parties_in(actor, case), facts)
        return [self._offer(row, case) for row in rows]

    def _offer(self, row: workflow.Transition, case: CaseRow) -> Mapping[str, Any]:
        offer: dict[str, Any] = {
            "action": row.action.value,
            "needs": list(self._handling.needs(case, row)),
            "reasons": list(workflow.REASONS_BY_ACTION.get(row.action.value, ())),
        }
        if row.action is Action.ASSIGN:
            officers = self._handling.officers(case)
            offer["officers"] = [
                {"officer": reference, "display": entry.display}
                for reference, entry in officers.items()
            ]
        return offer

    def _own_actions(self, report: ReportRow, case: CaseRow) -> list[str]:
        """What the sender may do: ``withdraw``, ``verdict``, ``reply``, ``appeal``."""
        now = self._clock.now()
        if not is_first(report, case):
            is_open = is_verdict_open(case, now)
            return ["verdict"] if is_open and case.status in _JUDGED_BY_JOINERS else []
        facts: Facts = facts_of(case, member_id=report.member_id, now=now, is_reporter=True)
        rows = workflow.allowed(Status(case.status), (Party.REPORTER,), facts)
        return sorted({_OWN_NAMES.get(row.action, "verdict") for row in rows})

    def _reporter(self, report: ReportRow) -> Mapping[str, Any]:
        is_shown = report.text_verdict == Verdict.PASS
        return {
            "pseudonym": changes.pseudonym(self._key, report.case_id, report.member_id),
            "joined": report.ordinal > 1,
            "submitted_at": utc_text(report.submitted_at),
            "text": report.text if is_shown else None,
            "text_hidden": report.text is not None and not is_shown,
        }

    def _evidence(
        self, uploads: Mapping[str, UploadRow], ids: Iterable[str], case: CaseRow
    ) -> list[Mapping[str, Any]]:
        """Photos as officials see them, with how far from the case the camera says it was."""
        known = [upload_id for upload_id in ids if upload_id in uploads]
        photos = self._photos(uploads, known, sees_unchecked=True)
        return [
            {**photo, "exif_gap_m": _exif_gap_m(uploads[upload_id], case)}
            for upload_id, photo in zip(known, photos, strict=True)
        ]

    def _photos(
        self,
        uploads: Mapping[str, UploadRow],
        ids: Iterable[str],
        *,
        owner: str | None = None,
        sees_unchecked: bool = False,
    ) -> list[Mapping[str, Any]]:
        shown = []
        for upload_id in ids:
            upload = uploads.get(upload_id)
            if upload is None:
                continue
            is_published = upload.verdict == Verdict.PASS
            may_see = is_published or sees_unchecked or upload.member_id == owner
            there = upload.state == UploadState.READY and upload.verdict != Verdict.RISKY
            shown.append(self._photo(upload, may_see=may_see and there, is_published=is_published))
        return shown

    def _photo(self, upload: UploadRow, *, may_see: bool, is_published: bool) -> Mapping[str, Any]:
        name, where = upload.public_name, self._addresses
        return {
            "state": upload.state,
            "reason": upload.reason,
            "checked": is_published,
            "url": where.full(name, is_published=is_published) if may_see else None,
            "thumbnail_url": where.thumbnail(name, is_published=is_published) if may_see else None,
        }

    def _points(self, report: ReportRow) -> Mapping[str, Any] | None:
        """What the report has brought: pending until the case closes or seven days have passed."""
        of = (awards.award_id, awards.maturity_id, crediting.rest_id)
        calls = [partial(transfer, transfer_id(report.report_id)) for transfer_id in of]
        award, maturity, rest = together(calls)
        if award is None:
            return None
        matures_at = award.posted_at + rules.MATURES_AFTER
        paid = crediting.paid_with_rests(report.report_id, award, rest)
        is_mature = maturity is not None or self._clock.now() >= matures_at
        return {
            "points": paid.points,
            "state": "available" if is_mature else "pending",
            "matures_at": utc_text(matures_at),
            "unpaid": _unpaid(report, paid),
        }


def _routing(case: CaseRow, first: CaseEventRow | None) -> Mapping[str, Any]:
    """Why a case is where it is; an old one's receipt says more of it than its row."""
    answer = first.answer if first is not None else None
    kept = answer["case"].get("routing") if answer and "report" in answer else None
    routing: Mapping[str, Any] = kept or case.routing
    return routing


def _unpaid(report: ReportRow, paid: crediting.Paid) -> str | None:
    if rules.is_moving(report.speed_mps):
        return filing.STOP_FIRST
    return f"points.limit.{paid.limit}" if paid.limit is not None else None


def _exif_gap_m(upload: UploadRow, case: CaseRow) -> int | None:
    away_m = exif_gap_m(upload.exif or {}, Position(lon=case.lon, lat=case.lat))
    return None if away_m is None else round(away_m)


_JUDGED_BY_JOINERS = (Status.RESOLVED.value, Status.CLOSED.value)


def _uploads(ids: Iterable[str]) -> dict[str, UploadRow]:
    keys = [(UploadRow, (upload_id,)) for upload_id in ids]
    rows = get_many(keys) if keys else []
    return {row.upload_id: row for row in rows if isinstance(row, UploadRow)}


_RUNG_BY_STEP = {step.value: rung for rung, step in enumerate(Step)}


def _in_order(events: Iterable[CaseEventRow]) -> list[CaseEventRow]:
    """By time; steps that a late schedule took at one instant stand as on the ladder."""
    return sorted(
        events, key=lambda event: (event.at, _RUNG_BY_STEP.get(event.action, 0), event.event_id)
    )


def _told(event: CaseEventRow) -> Mapping[str, Any]:
    return {
        "at": utc_text(event.at),
        "action": changes.name_of(event),
        "status": event.status,
        "party": event.party,
        "by": event.display,
        "reason": event.reason,
        "text": event.text if event.party not in _RIDERS or _is_passed(event) else None,
    }


def _words(event: CaseEventRow, *, is_own: bool) -> str | None:
    """What a reporter reads of a conversation: his own words, and what he was asked."""
    if not is_own or event.action not in _CONVERSATION:
        return None
    is_his = event.party == Party.REPORTER
    return event.text if is_his or _is_passed(event) else None


def _is_passed(event: CaseEventRow) -> bool:
    return event.text_verdict == Verdict.PASS


_CONVERSATION = (Action.ASK.value, Action.REPLY.value, Action.APPEAL.value)
_OWN_NAMES = {
    Action.WITHDRAW: "withdraw",
    Action.REPLY: "reply",
    Action.APPEAL: "appeal",
}
_RIDERS = (Party.REPORTER.value, Party.JOINER.value)
"""Whose words stay out of everybody's sight until WeChat has let them pass."""


def _proposed(case: CaseRow) -> Mapping[str, Any] | None:
    """What waits for a decision, without who proposed it but by his post."""
    proposal = case.proposal
    if not proposal:
        return None
    return {
        "kind": proposal["kind"],
        "by": proposal["display"],
        "reason": proposal["reason"],
        "at": proposal["at"],
        "until": proposal["until"],
    }


def _text(at: datetime | None) -> str | None:
    return None if at is None else utc_text(at)
