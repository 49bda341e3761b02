"""What riders, merchants, officers and schedules do, and when; drawn from a seed."""

from __future__ import annotations

import random
from collections import deque
from itertools import count

from infra.prove.ledger.allowances import later
from infra.prove.ledger.days import DAY_MS, HOUR_MS, MINUTE_MS, day_of, day_text, midnight, month_of
from infra.prove.ledger.days import month_start as first_day
from infra.prove.ledger.judge import Judge
from infra.prove.ledger.stage import MERCHANTS, RIDERS, SHELF, Stage
from infra.prove.ledger.tasks import Act, Proposal, Taking, Task
from models.points.proposal_rules import Decision

ACTS = {
    "report.first": 8,
    "report.early": 3,
    "report.joiner": 5,
    "report.moving": 1,
    "recheck.passed": 3,
    "station.check_in": 3,
    "correction.accepted": 2,
    "service.hour": 3,
    "activity.attended": 3,
    "hardship.grant": 2,
    "clean.street": 5,
}
ACTS_DECIDED = {
    "hardship": ("hardship.grant", "applied"),
    "service_hours": ("service.hour", "patrol"),
    "activity": ("activity.attended", "training"),
}
GRIDS = (None, "grid-1", "grid-2")
RECENT = 40
ADMINS = ("adm_one", "adm_two", "adm_three")
WISHES = {
    "award": 30,
    "mature": 8,
    "redeem": 24,
    "cancel": 9,
    "fulfil": 15,
    "undo": 6,
    "sweep": 2,
    "reveal": 4,
    "allot": 1.5,
    "drop": 0.5,
    "close": 0.1,
    "propose": 3,
    "refund": 3,
    "correct": 2.5,
    "claw": 3,
    "decide": 8,
    "freeze": 0.4,
    "thaw": 1.5,
    "steal": 2,
    "reuse": 3,
}
STEPS = {"moments": 66, "hours": 14, "days": 7, "weeks": 4, "edge": 12, "leap": 1}


class Life:
    """Draws wishes, and how far the clock goes between them."""

    def __init__(self, chance: random.Random, stage: Stage, judge: Judge) -> None:
        self._chance = chance
        self._stage = stage
        self._judge = judge
        self._numbers = count(1)
        self._given: deque[Task] = deque(maxlen=RECENT)
        self._asked: deque[Task] = deque(maxlen=RECENT)
        self._names = tuple(WISHES)
        self._weights = tuple(WISHES.values())
        self._start = stage.now()
        self._focus = RIDERS[1]
        self._subject: Taking | None = None

    def wishes(self, now: int) -> list[Task]:
        """What is wished for at about the same time; often by or about the same rider."""
        self._focus = self._chance.choice(RIDERS)
        drawn = self._chance.choices(self._names, self._weights, k=self._chance.randint(1, 6))
        if self._subject is not None:
            drawn += self._chance.choices(("sweep", "fulfil", "fulfil", "undo", "cancel"), k=2)
        found = [task for name in drawn if (task := getattr(self, f"_{name}")(now)) is not None]
        if self._chance.random() < 0.08:
            found += self._crowd(now)
        taps = [task for task in found if self._chance.random() < 0.12]
        self._subject = None
        return found + taps

    def step(self, now: int) -> int:
        """The instant of the next wishes."""
        ending = self._ending(now)
        if ending is not None and self._chance.random() < 0.5:
            self._subject = ending
            return ending.expires + self._chance.randrange(-1, MINUTE_MS)
        (kind,) = self._chance.choices(tuple(STEPS), tuple(STEPS.values()))
        longest = {"moments": 5_000, "hours": 3 * HOUR_MS, "days": 2 * DAY_MS}
        if kind in longest:
            return now + self._chance.randrange(longest[kind])
        if kind == "weeks":
            return now + self._chance.randrange(20 * DAY_MS)
        at = self._edge(now) if kind == "edge" else self._end_of_lots(now)
        return max(now, at + self._chance.choice((-1, 0, 0, 1, MINUTE_MS, -2 * MINUTE_MS)))

    def _edge(self, now: int) -> int:
        """An instant at which something changes by itself."""
        changed = later(self._start)
        if now < changed < now + 40 * DAY_MS and self._chance.random() < 0.3:
            return changed
        taking = self._subject = self._taking("reserved")
        if taking is not None and taking.state == "reserved" and self._chance.random() < 0.3:
            return taking.expires
        edges = [midnight(day_of(now) + 1), midnight(first_day(month_of(day_of(now)) + 1))]
        if taking is not None:
            edges += [taking.expires, taking.expires + 5 * MINUTE_MS]
            if taking.fulfilled is not None:
                edges.append(taking.fulfilled + 5 * MINUTE_MS)
        ripe = [lot.ripe for lot in self._judge.purse(self._focus).lots if lot.ripe is not None]
        edges += [midnight(min(ripe))] if ripe else []
        return self._chance.choice(edges)

    def _ending(self, now: int) -> Taking | None:
        """One that was handed over just before its end, so that it may be undone behind it."""
        for redemption in self._judge.newest:
            taking = self._judge.takings[redemption]
            is_late = taking.fulfilled and taking.expires - taking.fulfilled < 4 * MINUTE_MS
            if is_late and now < taking.expires:
                return taking
        return None

    def _end_of_lots(self, now: int) -> int:
        """When somebody's points run out."""
        months = [lot.month for lot in self._judge.purse(self._focus).lots]
        return midnight(first_day(min(months) + 1)) if months else now

    def _rider(self) -> str:
        return self._focus if self._chance.random() < 0.6 else self._chance.choice(RIDERS)

    def _key(self) -> str:
        return f"q{next(self._numbers)}"

    def _taking(self, state: str = "") -> Taking | None:
        """One of the latest, often in a state; at an edge, that of the edge."""
        if self._subject is not None:
            return self._subject
        recent = [self._judge.takings[redemption] for redemption in self._judge.newest]
        if state and self._chance.random() < 0.7:
            recent = [taking for taking in recent if taking.state == state] or recent
        return self._chance.choice(recent) if recent else None

    def _award(self, now: int) -> Task:
        waits = self._chance.choice((None, 0, 1, 7, 7, -1))
        paid = self._chance.choice((0, 0, 0, 0, 0, 0, 3))
        act = Act(
            rule=self._chance.choices(tuple(ACTS), tuple(ACTS.values()))[0],
            at=self._done_at(now),
            ripe=None if waits is None else day_of(now) + waits,
            grid=self._chance.choice(GRIDS),
            quantity=self._chance.choice((1, 1, 1, 2, 5)),
            severity=self._chance.choice("ABCCC"),
            paid=paid,
            counted=paid > 0 and self._chance.random() < 0.5,
        )
        return self._awarded(self._rider(), act)

    def _crowd(self, now: int) -> list[Task]:
        """Several riders want the same at once: the last piece, the last of a budget."""
        riders = self._chance.sample(RIDERS, 4)
        drawn = self._chance.random()
        if drawn < 0.4:  # one in a hurry, who can pay once
            return [self._stage.redeem(riders[0], self._dearest(riders[0], now), self._key())] * 3
        if drawn < 0.7:
            reward = self._chance.choice(("rwd_gloves", "rwd_helmet", "rwd_lunch"))
            return [self._stage.redeem(rider, reward, self._key()) for rider in riders]
        act = Act(rule="clean.street", at=now, grid=self._chance.choice(GRIDS))
        return [self._awarded(rider, act) for rider in riders]

    def _awarded(self, rider: str, act: Act) -> Task:
        transfer = f"trf_{next(self._numbers)}"
        self._judge.acts[transfer] = act
        task = self._stage.award(rider, act, transfer)
        self._given.append(task)
        return task

    def _done_at(self, now: int) -> int:
        """When it was done: just now, some days ago, or at the edge of a day."""
        drawn, changed = self._chance.random(), later(self._start)
        if changed <= now < changed + 9 * DAY_MS and drawn < 0.3:
            return changed - self._chance.choice((0, 1, HOUR_MS))
        if drawn < 0.6:
            return now - self._chance.randrange(MINUTE_MS)
        if drawn < 0.8:
            return now - self._chance.randrange(9 * DAY_MS)
        return midnight(day_of(now) - self._chance.randrange(3)) - self._chance.choice((0, 1, 1000))

    def _steal(self, now: int) -> Task | None:
        """Another rider comes with a transfer that is somebody's."""
        if not self._given:
            return None
        transfer = self._chance.choice(self._given).ident[1]
        return self._stage.award(self._rider(), self._judge.acts[transfer], transfer)

    def _mature(self, now: int) -> Task | None:
        if not self._given:
            return None
        award = self._chance.choice(self._given)
        return self._stage.mature(award.member, award.ident[1])

    def _redeem(self, now: int) -> Task:
        rider, reward = (
            self._rider(),
            self._chance.choices(tuple(SHELF), (5, 3, 3, 5, 2, 5, 4, 4, 1))[0],
        )
        if self._chance.random() < 0.3:
            reward = self._dearest(rider, now)
        task = self._stage.redeem(rider, reward, self._key())
        self._asked.append(task)
        return task

    def _dearest(self, rider: str, now: int) -> str:
        """What takes most of his points: there is often no second one for him."""
        points = self._judge.purse(rider).available(day_of(now))
        able = [name for name, offered in SHELF.items() if offered.price <= points]
        return max(able or SHELF, key=lambda name: SHELF[name].price)

    def _reuse(self, now: int) -> Task | None:
        """A request's id stands for another reward."""
        if not self._asked:
            return None
        asked = self._chance.choice(self._asked)
        return self._stage.redeem(asked.member, self._chance.choice(tuple(SHELF)), asked.ident[2])

    def _cancel(self, now: int) -> Task | None:
        taking = self._taking("reserved")
        if taking is None:
            return None
        member = taking.member if self._chance.random() < 0.95 else self._rider()
        return self._stage.cancel(member, taking.redemption, self._key())

    def _fulfil(self, now: int) -> Task | None:
        taking = self._taking("reserved")
        if taking is None:
            return None
        minted = now - self._chance.choice((0, 30_000, 60_000, 150_000, HOUR_MS))
        qr_at = minted if self._chance.random() < 0.5 else None
        return self._stage.fulfil(self._merchant(), taking.redemption, self._key(), qr_at=qr_at)

    def _undo(self, now: int) -> Task | None:
        taking = self._taking("fulfilled")
        if taking is None:
            return None
        return self._stage.undo(self._merchant(), taking.redemption, self._key())

    def _reveal(self, now: int) -> Task | None:
        taking = self._taking("reserved")
        pooled = [self._judge.takings[one] for one in self._judge.newest]
        pooled = [one for one in pooled if SHELF[one.reward].codes is not None]
        if pooled and self._chance.random() < 0.9:
            taking = self._chance.choice(pooled)
        if taking is None:
            return None
        member = taking.member if self._chance.random() < 0.95 else self._rider()
        return self._stage.reveal(member, taking.redemption, self._key())

    def _allot(self, now: int) -> Task:
        return self._stage.allot(next(self._numbers))

    def _close(self, now: int) -> Task:
        return self._stage.close(next(self._numbers))

    def _drop(self, now: int) -> Task | None:
        waiting = list(self._judge.waiting)
        return self._stage.drop(self._chance.choice(waiting)) if waiting else None

    def _propose(self, now: int) -> Task | None:
        taking = self._taking("fulfilled")
        return None if taking is None else self._stage.propose(taking.redemption, self._admin())

    def _refund(self, now: int) -> Task | None:
        taking = self._taking("fulfilled")
        return None if taking is None else self._stage.refund(taking.redemption, self._admin())

    def _correct(self, now: int) -> Task:
        """Something is to be set right by hand."""
        kind = self._chance.choice(("adjustment", "adjustment", "write_off", *ACTS_DECIDED))
        reference, rider = f"ref_{next(self._numbers)}", self._rider()
        amount, reason = self._chance.randint(1, 99), "relief"
        if kind == "adjustment":
            reason = self._chance.choice(("missing", "doubled"))
            rider = rider if reason == "missing" or self._chance.random() < 0.5 else self._debtor()
            amount *= 1 if reason == "missing" else -self._chance.choice((1, 3, 10))
        elif kind == "write_off":
            owing = [one for one in RIDERS if self._judge.purse(one).debt]
            rider = self._chance.choice(owing) if owing else rider
        elif kind in ACTS_DECIDED:
            rule, reason = ACTS_DECIDED[kind]
            amount = self._chance.randint(1, 5) if kind == "service_hours" else 1
            noon = midnight(day_of(now)) + 12 * HOUR_MS
            self._judge.acts[reference] = Act(rule=rule, at=noon, quantity=amount)
        return self._wished(kind, rider, amount, reason, reference, day_text(day_of(now)))

    def _debtor(self) -> str:
        """Who owes most."""
        return max(RIDERS, key=lambda rider: self._judge.purse(rider).debt)

    def _claw(self, now: int) -> Task | None:
        """An award is to be taken back, all of it or a part."""
        if not self._given:
            return None
        task = self._chance.choice(self._given)
        if self._chance.random() < 0.6:
            debtor, back = self._debtor(), self._judge.taken_back
            his = [one for one in self._given if one.member == debtor and one.ident[1] not in back]
            task = self._chance.choice(his) if his else task
        points = self._chance.choice((0, 0, self._chance.randint(1, 12)))
        return self._wished("claw_back", task.member, points, "staged", task.ident[1])

    def _wished(
        self, kind: str, rider: str, amount: int, reason: str, reference: str, day: str = ""
    ) -> Task:
        wish = Proposal(
            kind=kind,
            member=rider,
            amount=amount,
            reason=reason,
            reference=reference,
            maker=self._admin(),
            day=day,
        )
        return self._stage.wish(wish)

    def _decide(self, now: int) -> Task | None:
        if not self._judge.open:
            return None
        some = self._judge.open
        waiting = [one for one in some if self._judge.proposals[one].state == "proposed"]
        drawn = self._chance.choice(waiting if waiting and self._chance.random() < 0.8 else some)
        decision = self._chance.choices(tuple(Decision), (8, 1, 1))[0]
        return self._stage.decide(drawn, decision, self._admin())

    def _freeze(self, now: int) -> Task:
        return self._stage.freeze(self._rider())

    def _thaw(self, now: int) -> Task | None:
        frozen = sorted(self._judge.frozen)
        return self._stage.thaw(self._chance.choice(frozen), self._admin()) if frozen else None

    def _admin(self) -> str:
        return self._chance.choice(ADMINS)

    def _merchant(self) -> int:
        return self._chance.randrange(len(MERCHANTS))

    def _sweep(self, now: int) -> Task:
        return self._stage.sweep(next(self._numbers))
