"""The judge: sees every commit in its order, and says what must not be.

It keeps a model of its own (lots, takings, stock) that follows each committed transaction by the
rules as they are written down, and compares what the rows say. Invariants carry the ids of the
ledger's design, I1 to I17; a refusal must have been right at some moment while its command ran.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence

from infra.prove.ledger import moves, queues, refusals, rulings
from infra.prove.ledger.allowances import Allowances, Sheet
from infra.prove.ledger.days import (
    DAY_MS,
    MINUTE_MS,
    SECOND_MS,
    SKEW_MS,
    day_of,
    day_text,
    midnight,
    month_of,
    month_text,
    ms_of,
)
from infra.prove.ledger.lots import Impossible, Purse
from infra.prove.ledger.rows import (
    Change,
    Row,
    amounts,
    by_table,
    chained,
    document,
    moment,
    text,
    wallet_accounts,
    whole,
)
from infra.prove.ledger.tasks import Act, Ident, Offered, Proposal, Record, Running, Taking, Task

WATCHED = (
    *("wallets", "entries", "transfers", "redemptions", "stock", "redemption-codes", "outbox"),
    *("reversals", "code-tries", "point-freezes"),
    *("rewards", "code-pools", "point-caps", "point-budgets", "point-proposals"),
)
NAMES = ("member_id", "reward_id", "redemption_id", "transfer_id", "proposal_id", "reference")
"""Columns by which a write touches a command in flight."""
COUNTY = "411702"


class Judge:
    """``wrong`` is what was found, in words; ``met`` counts what happened, by branch."""

    def __init__(
        self,
        now: Callable[[], int],
        shelf: Mapping[str, Offered],
        sheets: Sequence[Sheet],
        stale: Callable[[], int] = lambda: 0,
    ) -> None:
        self._stale = stale
        self.allowances = Allowances(sheets)
        self._now = now
        self._changes: list[Change] = []
        self.shelf = shelf
        self.purses: dict[str, Purse] = {}
        self.takings: dict[str, Taking] = {}
        self.stock: dict[tuple[str, str], int] = {}
        self._limited: dict[tuple[str, str], list[Taking]] = {}
        self.frozen: set[str] = set()
        self.waiting: dict[str, Taking] = {}
        self.units: dict[str, str] = {}
        """Imported codes and whose they are."""
        self.given_codes: Counter[str] = Counter()
        self.retired: set[str] = set()
        self.tries: dict[str, tuple[int, ...]] = {}
        self.acts: dict[str, Act] = {}
        self.given: dict[str, int] = {}
        self.credits: dict[str, tuple[str, int, str]] = {}
        """What an award gave to keep: to whom, how many points, by which rule."""
        self.offset: set[str] = set()
        """Awards of which a part repaid debt."""
        self.taken_back: set[str] = set()
        self.proposals: dict[str, Proposal] = {}
        self.open: deque[str] = deque(maxlen=20)
        self.settled: set[tuple[str, str, str]] = set()
        self.moved = 0
        """What the last entry was about."""
        self.posted: dict[str, str] = {}
        self.done: dict[Ident, Record] = {}
        self.codes: dict[str, str] = {}
        self.newest: deque[str] = deque(maxlen=40)
        self.running: Running | None = None
        self.in_flight: list[Running] = []
        self.met: Counter[str] = Counter()
        self.wrong: list[str] = []

    def now(self) -> int:
        """The instant, by everybody's clock."""
        return self._now()

    def purse(self, member: str) -> Purse:
        """A member's purse, an empty one at first."""
        return self.purses.setdefault(member, Purse())

    def places(self, reward: str, at: int) -> dict[str, int]:
        """The shards of a reward in the month of an instant, and how many each begins with."""
        month = month_text(month_of(day_of(at)))
        caps = self.shelf[reward].caps()
        return {f"{month}#{COUNTY}#{number}": cap for number, cap in enumerate(caps)}

    def left(self, reward: str, at: int) -> int:
        """What is left of a reward in the month of an instant."""
        places = self.places(reward, at)
        return sum(self.stock.get((reward, name), cap) for name, cap in places.items())

    def has_room(self, member: str, reward: str, at: int) -> bool:
        """Whether a member's limit leaves room for one more."""
        limit = self.shelf[reward].limit
        if limit is None:
            return True
        count, days = limit
        live = sum(
            taking.state in ("queued", "reserved", "fulfilled")
            and taking.reserved > at - days * DAY_MS
            for taking in self._limited.get((member, reward), ())
        )
        return live < count

    def took(self, taking: Taking) -> None:
        """A redemption is made."""
        self.takings[taking.redemption] = taking
        self.newest.append(taking.redemption)
        self._limited.setdefault((taking.member, taking.reward), []).append(taking)

    def queued(self, reward: str) -> list[Taking]:
        """Who waits for a reward."""
        return [taking for taking in self.waiting.values() if taking.reward == reward]

    def has_lagged(self, running: Running) -> bool:
        """Whether an index was behind since a delivery began."""
        return self._stale() != running.stale_before

    def free_codes(self, reward: str) -> int:
        """How many imported codes nobody has."""
        return (self.shelf[reward].codes or 0) - self.given_codes[reward]

    def has_tried_enough(self, now: int) -> bool:
        """Whether somebody's typed codes are too many for this minute."""
        return any(sum(at > now - MINUTE_MS for at in made) >= 5 for made in self.tries.values())

    def blame(self, invariant: str, what: str) -> None:
        """Write down what must not be."""
        self.wrong.append(f"{invariant}: {what}")

    # commits ------------------------------------------------------------------------------------

    def saw(self, table: str, before: Row | None, after: Row | None) -> None:
        """One write of the request that is being answered."""
        self._changes.append(Change(table, before, after))

    def answered(self) -> None:
        """The request was answered: its writes, if any, are one commit."""
        if not self._changes:
            return
        changes, self._changes = self._changes, []
        self.commit(by_table(changes))
        touched = {text(change.row, name) for change in changes for name in NAMES}
        is_try = any(change.table == "code-tries" for change in changes)
        for running in self.in_flight:
            is_guess = is_try and running.task.action == "fulfil"
            if is_guess or not running.task.touches.isdisjoint(touched):
                running.possible |= refusals.right_now(self, running)

    def commit(self, changes: Mapping[str, Sequence[Change]]) -> None:
        """Follow one commit."""
        entries = changes.get("entries", ())
        self._check_kept(changes)
        self._check_alone(changes, entries)
        for change in entries:
            self._entry(change.row, changes)
        self._follow_others(changes)
        for change in changes.get("stock", ()):
            self._check_stock(change)
        rulings.follow_proposals(self, changes)

    def _follow_others(self, changes: Mapping[str, Sequence[Change]]) -> None:
        """Follow what needs no entry: refusals that stand, proposals, freezes, tries."""
        for change in changes.get("transfers", ()):
            if change.after is not None and text(change.row, "kind") == "refused":
                self._refused(change.row)
        for change in changes.get("redemptions", ()):
            if _is_allotment(change):
                queues.allotted(self, change, changes)
                moves.take(self, self.takings[text(change.row, "redemption_id")], changes)
            taking = self.takings.get(text(change.row, "redemption_id"))
            if taking is not None and taking.state == "fulfilled":
                taking.proposed_by = text(change.row, "refund_asked_by")
        for change in changes.get("rewards", ()):
            if text(change.row, "status") == "retired":
                self.retired.add(text(change.row, "reward_id"))
        for change in changes.get("wallets", ()):
            self._follow_freeze(change, changes.get("point-freezes", ()))
        for change in changes.get("code-tries", ()):
            marks = change.row["tries"]["SS"] if change.after and "tries" in change.row else ()
            self.tries[text(change.row, "who")] = tuple(ms_of(mark) for mark in marks)

    def _follow_freeze(self, change: Change, freezes: Sequence[Change]) -> None:
        member, is_frozen = text(change.row, "member_id"), "frozen_at" in change.row
        if is_frozen and member not in self.frozen:
            self.frozen.add(member)
            self.met["frozen"] += 1
        elif not is_frozen and member in self.frozen:
            self.frozen.discard(member)
            self.met["thawed"] += 1
            asked, thawed = (text(freezes[0].row, name) for name in ("asked_by", "thawed_by"))
            if not asked or not thawed or asked == thawed:
                self.blame("I15", f"{member} was let go by {asked} and {thawed}")

    def _refused(self, row: Row) -> None:
        """A refusal is written down: it must be right now, and stands."""
        assert self.running is not None
        running, told = self.running, document(row, "answer")
        details = told["details"]
        missing = f" missing={details['missing']}" if "missing" in details else ""
        words = f"{told['code']}{missing}"
        running.possible |= refusals.right_now(self, running)
        if words not in running.possible:
            self.blame("I16", f"{running.task.ident} is to be told {words} for good")
        self.met["refused for good"] += 1
        self.done[running.task.ident] = Record(
            content=running.task.content,
            told=f"!{words}",
            transfer=text(row, "transfer_id"),
            ends=whole(row, "ttl") * SECOND_MS,
        )

    def forget(self, ident: Ident) -> None:
        """A refusal that stood has run out: the same request may be made anew."""
        self.done.pop(ident)
        self.met["a refusal ran out"] += 1

    def _check_kept(self, changes: Mapping[str, Sequence[Change]]) -> None:
        for table in ("entries", "transfers", "redemption-codes"):
            for change in changes.get(table, ()):
                is_over = change.after is None and text(change.row, "kind") == "refused"
                if change.before is not None and not is_over:
                    self.blame("I4", f"a row of {table} was written over: {change.before}")

    def _check_alone(
        self, changes: Mapping[str, Sequence[Change]], entries: Sequence[Change]
    ) -> None:
        """Balances, transfers and states never change without an entry of theirs."""
        members = Counter(text(change.row, "member_id") for change in entries)
        for table, invariant in (("wallets", "I3"), ("transfers", "I5"), ("redemptions", "I7")):
            touched = Counter(
                text(change.row, "member_id")
                for change in changes.get(table, ())
                if not _is_note(change)
            )
            if touched - members:
                self.blame(invariant, f"{table} changed without an entry: {dict(touched)}")

    def _entry(self, entry: Row, changes: Mapping[str, Sequence[Change]]) -> None:
        member, transfer = text(entry, "member_id"), text(entry, "transfer_id")
        at = moment(entry, "posted_at") or 0
        purse = self.purse(member)
        if abs(at - self._now()) > SKEW_MS:
            self.blame("I12", f"{transfer} is dated {at}, it is {self._now()}")
        if int(text(entry, "seq")) != purse.version + 1:
            self.blame("I4", f"{member} has {purse.version} entries, now comes {entry['seq']}")
        if transfer in self.posted:
            self.blame("I6", f"{transfer} posted twice")
        self.posted[transfer] = member
        purse.version += 1
        purse.head = chained(purse.head, entry)
        if text(entry, "hash") != purse.head:
            self.blame("I4", f"the chain of {member} breaks at {purse.version}")
        self._check_transfer(entry, changes.get("transfers", ()))
        self._count_day(at)
        before = purse.accounts()
        expired = purse.roll(day_of(at))
        try:
            counter = moves.follow(self, entry, at, changes)
        except Impossible as impossible:
            self.blame("I2", f"{text(entry, 'kind')} {transfer}: {impossible}")
            return
        self._check_legs(entry, _less(purse.accounts(), before), {"exp": expired, **counter})
        self._check_wallet(member, purse, changes.get("wallets", ()))

    def _count_day(self, at: int) -> None:
        day = day_text(day_of(at))[5:]
        if day == "02-29":
            self.met["29 February"] += 1
        elif day == "12-31":
            self.met["31 December"] += 1
        if at - midnight(day_of(at + MINUTE_MS)) < MINUTE_MS:
            self.met["a minute around midnight"] += 1

    def _check_transfer(self, entry: Row, transfers: Sequence[Change]) -> None:
        for change in transfers:
            row = change.row
            if text(row, "transfer_id") == text(entry, "transfer_id"):
                told = (text(row, "member_id"), whole(row, "seq"), text(row, "kind"))
                if told == (
                    text(entry, "member_id"),
                    int(text(entry, "seq")),
                    text(entry, "kind"),
                ):
                    return
        self.blame("I5", f"entry {text(entry, 'transfer_id')} came without its transfer")

    def _check_legs(self, entry: Row, own: Mapping[str, int], counter: Mapping[str, int]) -> None:
        legs = amounts(entry, "legs")
        if sum(legs.values()):
            self.blame("I1", f"legs of {text(entry, 'transfer_id')} sum to {sum(legs.values())}")
        expected = {account: n for account, n in {**own, **counter}.items() if n}
        if legs != expected:
            kind, transfer = text(entry, "kind"), text(entry, "transfer_id")
            self.blame("I3", f"{kind} {transfer} moved {legs}, not {expected}")

    def _check_wallet(self, member: str, purse: Purse, wallets: Sequence[Change]) -> None:
        for change in wallets:
            row = change.row
            if text(row, "member_id") != member or change.after is None:
                continue
            stored = wallet_accounts(row)
            if any((points < 0) != (account == "d") for account, points in stored.items()):
                self.blame("I2", f"{member} has {stored}")
            if stored != {name: points for name, points in purse.accounts().items() if points}:
                self.blame("I3", f"{member} has {stored}, by lots {dict(purse.accounts())}")
            if (whole(row, "version"), text(row, "head")) != (purse.version, purse.head):
                self.blame("I4", f"the wallet of {member} is not at its last entry")
            return
        self.blame("I3", f"an entry of {member} came without his wallet")

    def _check_stock(self, change: Change) -> None:
        row = change.row
        place = text(row, "reward_id"), text(row, "shard")
        if whole(row, "rem") != self.stock.get(place):
            self.blame(
                "I9", f"{row['rem']} are left of {place}, by takings {self.stock.get(place)}"
            )

    # commands -----------------------------------------------------------------------------------

    def begins(self, task: Task, now: int) -> Running:
        """A delivery of a task begins."""
        task.runs += 1
        running = Running(task, now, stale_before=self._stale(), began=self._now())
        if task.action == "sweep":
            running.due_before = tuple(
                taking.redemption
                for taking in self.takings.values()
                if taking.state == "reserved" and taking.expires + moves.GRACE_MS <= now
            )
        running.possible |= refusals.right_now(self, running)
        self.in_flight.append(running)
        return running

    def tells(self, now: int) -> None:
        """The running command looks at its clock."""
        if self.running is not None:
            self.running.now = now
            self.running.possible |= refusals.right_now(self, self.running)

    def ends(self, running: Running, told: str | None) -> None:
        """A delivery ends with an answer in words; None: it died, or nobody knows."""
        self.in_flight.remove(running)
        task = running.task
        if told is None:
            self.met["unknown"] += 1
            return
        record = self.done.get(task.ident)
        if told.startswith("!"):
            self._check_refusal(running, told[1:], record)
        elif task.must_end and (record is None or record.told != told):
            self.blame("I16", f"{task.ident} was told {told}, in the ledger: {record}")
        is_promise = task.must_end and task.answer is not None and not _is_refusal(task.answer)
        if is_promise and task.answer != told:
            self.blame("I16", f"{task.ident} was told {task.answer}, and now {told}")
        task.answer = told

    def _check_refusal(self, running: Running, told: str, record: Record | None) -> None:
        task = running.task
        self.met[f"refused {told.partition(' ')[0]}"] += 1
        if record is not None and record.content == task.content and record.told != f"!{told}":
            self.blame("I16", f"{task.ident} was told {told}, and it is {record}")
        is_final = task.action == "redeem" and told.startswith(refusals.FINAL)
        if is_final and record is None:
            self.blame("I16", f"{task.ident} was told {told}, and it is not written down")
        running.possible |= refusals.right_now(self, running)
        if told not in running.possible:
            right = sorted(running.possible)
            self.blame("I16", f"{task.ident} was told {told}; right would be {right}")

    def did(self, told: str, *, transfer: str) -> None:
        """The running command was done by this commit."""
        if self.running is None:
            self.blame("I6", f"{transfer} was posted by nobody")
            return
        task = self.running.task
        if not task.must_end:
            return
        if task.ident in self.done:
            self.blame("I6", f"{task.ident} was done twice, again by {transfer}")
        self.done[task.ident] = Record(content=task.content, told=told)

    # the end ------------------------------------------------------------------------------------

    def check_swept(self, running: Running, told: str | None) -> None:
        """A sweep that saw everything and failed nowhere left nothing that was due."""
        if told is None or "failed=0" not in told:
            return
        left = [one for one in running.due_before if self.takings[one].state == "reserved"]
        if left:
            self.blame("I17", f"a sweep left {left}")


def _less(after: Mapping[str, int], before: Mapping[str, int]) -> dict[str, int]:
    names = after.keys() | before.keys()
    return {name: after.get(name, 0) - before.get(name, 0) for name in names}


def _is_refusal(answer: str) -> bool:
    """Only those that are written down promise anything: they stand in ``done``."""
    return answer.startswith("!")


def _is_allotment(change: Change) -> bool:
    """Whether one who waits gets a voucher: his points are held already, no entry is needed."""
    if change.table != "redemptions" or change.before is None or change.after is None:
        return False
    return (text(change.before, "state"), text(change.after, "state")) == ("queued", "reserved")


def _is_note(change: Change) -> bool:
    """Whether a write leaves points and states as they were."""
    if change.table == "transfers":
        return text(change.row, "kind") == "refused"
    if change.before is None or change.after is None:
        return False
    if _is_allotment(change):
        return True
    names = {
        "wallets": ("available", "pending", "held", "debt", "version", "head"),
        "redemptions": ("state", "points", "member_id", "expires_at"),
    }
    return all(change.before.get(name) == change.after.get(name) for name in names[change.table])
