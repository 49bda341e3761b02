"""Publish rules: judged whole, written as new versions, in force from an instant well ahead.

Publishers race for the index: who loses reads again and is judged against what the winner wrote.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

from models.base.clock import utc_text
from models.base.errors import Conflict, Invalid
from models.base.store import Refused, Stale, Transaction, retrying
from models.points.acts import RuleBook
from models.points.entities import Rule
from models.points.proposal_rules import read_person
from models.points.rule_drafts import Wrong, content, read
from models.points.rule_sheets import FIRST, LEAD, PointRules, book_of
from models.points.rule_tables import INDEX, RuleIndexRow, read_index, to_row

log = logging.getLogger(__name__)


class Judgement(Protocol):
    """What a simulated year shows with a change."""

    def require(self) -> None:
        """Raise ``Conflict`` if the change may not be published."""

    def join(self, tx: Transaction) -> None:
        """Publish only if nothing that was judged has changed since."""


class Guard(Protocol):
    """Judges rules before they are published."""

    def of_rules(self, drafts: Sequence[Rule], now: datetime) -> Judgement: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """Drafts of rules, each by its columns; ``actor`` names the post that publishes.

    They hold from ``effective_from`` until before ``effective_to`` (None: for good); then what held
    before holds again. ``based_on`` is the revision that whoever wrote them had before him; None:
    he does not mind what was published since.
    """

    rules: Sequence[Mapping[str, Any]]
    actor: str
    effective_from: datetime
    effective_to: datetime | None = None
    based_on: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What publishing does or would do; with anything ``wrong`` nothing was written.

    ``changed`` has, for each rule that gets a new version, what was and what will be, by column;
    ``judgement`` is the guard's, None where nothing was judged.
    """

    revision: int
    versions: Mapping[str, int] = field(default_factory=dict)
    changed: Mapping[str, Mapping[str, list[Any]]] = field(default_factory=dict)
    wrong: tuple[Wrong, ...] = ()
    judgement: Judgement | None = None


class RulePublishing:
    """Takes in rules; ``guard`` None judges nothing, for tests and proofs."""

    def __init__(self, rules: PointRules, guard: Guard | None) -> None:
        self._rules = rules
        self._guard = guard

    def standing(self, now: datetime) -> tuple[int, list[dict[str, Any]]]:
        """The revision, and all rules as they hold now, to be edited."""
        index = read_index()
        book = book_of(index)
        held = [book.at(rule, now) for rule in book.versions]
        rules = [{"rule": one.rule, "version": one.version, **content(one)} for one in held]
        return _revision(index), rules

    def publish(self, publication: Publication, now: datetime, *, dry_run: bool) -> Report:
        """Make drafts the next versions of their rules, or say what that would change.

        What changes nothing makes no version, so it is safe to repeat. Raises ``Conflict``:
        ``rule.published_meanwhile`` where something changes and ``based_on`` is no longer the
        newest, and what the guard raises.
        """
        report = retrying(lambda: self._publish(publication, now, dry_run))
        self._rules.forget()
        return report

    def _publish(self, asked: Publication, now: datetime, dry_run: bool) -> Report:
        index = read_index()
        revision, book = _revision(index), book_of(index)
        wrong = _wrong_with(asked, now)
        drafts, changed = [], {}
        for columns in asked.rules:
            draft, base, errors = _draft(columns, asked, book)
            wrong += errors
            if draft is not None and base is not None:
                drafts.append(draft)
                changed[draft.rule] = _difference(base, draft)
        drafts = [draft for draft in drafts if changed[draft.rule]]
        if wrong:
            return Report(revision=revision, wrong=tuple(wrong))
        if drafts and asked.based_on not in (None, revision):
            raise Conflict("rule.published_meanwhile", revision=revision)
        drafts = [_numbered(draft, asked, book, now) for draft in drafts]
        tx = Transaction()
        judgement = self._judged(drafts, tx, now)
        if drafts and not dry_run:
            _write(drafts, index, tx)
        return Report(
            revision=revision + 1 if drafts else revision,
            versions={draft.rule: draft.version for draft in drafts},
            changed={draft.rule: changed[draft.rule] for draft in drafts},
            judgement=judgement,
        )

    def _judged(self, drafts: Sequence[Rule], tx: Transaction, now: datetime) -> Judgement | None:
        if self._guard is None or not drafts:
            return None
        judgement = self._guard.of_rules(drafts, now)
        judgement.require()
        judgement.join(tx)
        return judgement


def _write(drafts: Sequence[Rule], index: RuleIndexRow | None, tx: Transaction) -> None:
    for draft in drafts:
        tx.guard(f"rule.{draft.rule}", to_row(draft))
    newest = {draft.rule: draft.version for draft in drafts}
    if index is None:
        tx.guard("index", RuleIndexRow(*INDEX, revision=1, newest=newest))
    else:
        actions = [
            RuleIndexRow.revision.set(index.revision + 1),
            RuleIndexRow.newest.set({**index.newest, **newest}),
        ]
        tx.update("index", index, actions, RuleIndexRow.revision == index.revision)
    try:
        tx.commit()
    except Refused as refused:
        raise Stale from refused
    log.info("point_rules.published", extra={"rules": [draft.id for draft in drafts]})


def _wrong_with(asked: Publication, now: datetime) -> list[Wrong]:
    """Errors of the publication itself."""
    wrong = []
    soonest = now + LEAD
    try:
        read_person(asked.actor)
    except Invalid as bad:
        wrong += [Wrong(rule="", field=one.field, code=one.code) for one in bad.fields]
    if asked.effective_from < soonest:
        # Every process must know a version before it holds.
        too_early = {"code": "rule.too_early", "limit": utc_text(soonest)}
        wrong.append(Wrong(rule="", field="effective_from", **too_early))
    if asked.effective_to is not None and asked.effective_to <= asked.effective_from:
        wrong.append(Wrong(rule="", field="effective_to", code="field.invalid"))
    given = [columns.get("rule") for columns in asked.rules]
    named = [name for name in given if isinstance(name, str)]
    wrong += [
        Wrong(rule=name, field="rule", code="rule.named_twice")
        for name in dict.fromkeys(named)
        if named.count(name) > 1
    ]
    if not asked.rules:
        wrong.append(Wrong(rule="", field="rules", code="field.missing"))
    return wrong


def _draft(
    columns: Mapping[str, Any], asked: Publication, book: RuleBook
) -> tuple[Rule | None, Rule | None, list[Wrong]]:
    name = columns.get("rule")
    if not isinstance(name, str) or name not in book.versions:
        wrong = Wrong(rule=str(name), field="rule", code="rule.not_found")
        return None, None, [wrong]
    base = book.at(name, asked.effective_from)
    draft, errors = read(columns, base)
    return replace(draft, effective_to=asked.effective_to), base, errors


def _difference(base: Rule, draft: Rule) -> dict[str, list[Any]]:
    """What was and what will be; ending on another day is a change too."""
    before, after = content(base), content(draft)
    changed = {name: [before[name], after[name]] for name in after if before[name] != after[name]}
    if base.effective_to != draft.effective_to:
        ends = [at and utc_text(at) for at in (base.effective_to, draft.effective_to)]
        changed["effective_to"] = ends
    return changed


def _numbered(draft: Rule, asked: Publication, book: RuleBook, now: datetime) -> Rule:
    """The draft as it is written: the next version of its rule."""
    return replace(
        draft,
        version=max(one.version for one in book.versions[draft.rule]) + 1,
        effective_from=asked.effective_from,
        published_by=read_person(asked.actor).given,
        published_at=now,
    )


def _revision(index: RuleIndexRow | None) -> int:
    return index.revision if index is not None else FIRST - 1
