"""Photos are taken in once, in any order with their report, and shown only when they may be."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.local.photos.server import start_photo_store
from models.alerts.tables import OutboxRow
from models.base.errors import NotFound, Unavailable
from models.base.ids import derived_id, new_id
from models.base.store import get
from models.cases.entities import Status, UploadState, Verdict
from models.cases.evidence import EARLY, Evidence
from models.cases.photos import PhotoAddresses, full_key, original_key, thumbnail_key
from models.cases.tables import CaseRow, MediaCheckRow, UploadRow
from models.gateways.photos import S3PhotoStore
from models.people.entities import Actor
from tests.support.cases import Town, a_photo, a_rider
from tests.support.faults import lost_reply

PHOTOS = Path(__file__).parents[2] / "photos"
GOOD = (PHOTOS / "landscape_6.jpg").read_bytes()


@dataclass
class Studio:
    """Evidence on a real store, with WeChat's part written down."""

    town: Town
    store: S3PhotoStore
    asked: list[str] = field(default_factory=list)
    is_away: bool = False

    def __post_init__(self) -> None:
        self.evidence = Evidence(
            clock=self.town.clock,
            store=self.store,
            addresses=PhotoAddresses(base_url="https://photos.example"),
            checker=self,
            openid_of=lambda member_id: None if member_id.startswith("gone") else "openid",
        )

    def check_media(self, url: str, openid: str, /) -> str:
        if self.is_away:
            raise Unavailable("wechat.away")
        self.asked.append(url)
        return new_id("trace")

    def announced(self, owner: Actor, content: bytes, **values: Any) -> str:
        """An upload whose bytes are on their way; ``content`` is what was announced."""
        upload_id = a_photo(
            owner,
            state=UploadState.WAITING,
            sha256=hashlib.sha256(content).hexdigest(),
            **values,
        )
        self.upload(upload_id).update(actions=[UploadRow.size_bytes.set(len(content))])
        return upload_id

    def arrives(self, upload_id: str, content: bytes) -> None:
        self.store.put(original_key(upload_id), content, content_type="image/jpeg")
        self.evidence.photo_arrived(original_key(upload_id))

    def ready(self, owner: Actor) -> UploadRow:
        """A photo taken in and given to WeChat."""
        upload_id = self.announced(owner, GOOD)
        self.arrives(upload_id, GOOD)
        self.evidence.ask(upload_id)
        return self.upload(upload_id)

    def judged(self, trace_id: str, suggest: str | None) -> None:
        """WeChat's verdict comes now."""
        self.evidence.verdict(trace_id, suggest, at=self.town.clock.now())

    def upload(self, upload_id: str) -> UploadRow:
        row = get(UploadRow, upload_id)
        assert row is not None
        return row

    def checks(self, upload_id: str) -> list[MediaCheckRow]:
        rows = [row for row in MediaCheckRow.scan() if row.upload_id == upload_id]
        return sorted(rows, key=lambda row: row.tries)

    def keys(self, name: str, *, is_published: bool) -> list[bool]:
        return [
            self.store.head(key(name, is_published=is_published)) is not None
            for key in (full_key, thumbnail_key)
        ]


@pytest.fixture
def studio(town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local-access")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local-secret")
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    running = start_photo_store(
        root=tmp_path, bucket="photos", access_key="local-access", secret_key="local-secret"
    )
    store = S3PhotoStore(
        bucket="photos",
        region="cn-northwest-1",
        endpoint_url=running.url,
        path_style=True,
    )
    yield Studio(town, store)
    running.stop()


def test_an_arrived_photo_is_rendered_anew_and_waits_for_its_verdict(studio: Studio) -> None:
    upload_id = studio.announced(a_rider(), GOOD)

    studio.arrives(upload_id, GOOD)

    upload = studio.upload(upload_id)
    shown = studio.store.read(full_key(upload.public_name, is_published=False), max_bytes=10**7)
    assert (upload.state, upload.verdict) == ("ready", "waiting")
    assert upload.dhash is not None
    assert b"Exif" not in shown
    assert studio.keys(upload.public_name, is_published=False) == [True, True]
    assert studio.keys(upload.public_name, is_published=True) == [False, False]


def test_an_arrival_told_twice_and_at_once_counts_once(studio: Studio) -> None:
    rider = a_rider()
    upload_id = studio.announced(rider, GOOD)
    case = studio.town.filed(rider, photos=(upload_id,))
    studio.store.put(original_key(upload_id), GOOD, content_type="image/jpeg")

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: studio.evidence.photo_arrived(original_key(upload_id)), range(3)))
    studio.evidence.photo_arrived(original_key(upload_id))

    assert studio.town.case(case.case_id).photo_count == 1
    assert studio.upload(upload_id).state == UploadState.READY


def test_a_lost_reply_to_taking_in_counts_once(studio: Studio) -> None:
    rider = a_rider()
    upload_id = studio.announced(rider, GOOD)
    case = studio.town.filed(rider, photos=(upload_id,))

    with lost_reply() as lost:
        studio.arrives(upload_id, GOOD)

    assert lost
    assert studio.town.case(case.case_id).photo_count == 1


def test_photo_and_report_at_once_count_the_photo_exactly_once(studio: Studio) -> None:
    for _ in range(6):
        rider = a_rider()
        upload_id = studio.announced(rider, GOOD)
        studio.store.put(original_key(upload_id), GOOD, content_type="image/jpeg")
        command = studio.town.a_report(rider, photos=(upload_id,))

        with ThreadPoolExecutor(2) as pool:
            arrival = pool.submit(studio.evidence.photo_arrived, original_key(upload_id))
            receipt = pool.submit(studio.town.intake.submit, rider, command).result()
            arrival.result()

        case = studio.town.case(receipt["case"]["id"])
        assert (case.photo_count, case.status) == (1, Status.ASSIGNED)


@pytest.mark.parametrize(
    ("announced", "sent", "code"),
    [
        ((PHOTOS / "corrupted.jpg").read_bytes(), None, "photo.damaged"),
        (b"this is only text, renamed to .jpg " * 40, None, "photo.not_an_image"),
        (GOOD, GOOD + b"\0", "photo.other_bytes"),
        (GOOD, GOOD[:-1] + b"\0", "photo.other_bytes"),
    ],
)
def test_what_is_no_photo_or_not_the_announced_one_is_refused_and_nothing_is_kept(
    studio: Studio, announced: bytes, sent: bytes | None, code: str
) -> None:
    upload_id = studio.announced(a_rider(), announced)

    studio.arrives(upload_id, sent or announced)

    upload = studio.upload(upload_id)
    assert (upload.state, upload.reason) == ("refused", code)
    assert studio.store.head(original_key(upload_id)) is None
    assert studio.keys(upload.public_name, is_published=False) == [False, False]


def test_an_object_that_nobody_announced_is_ignored(studio: Studio) -> None:
    for key in ("uploads/up_unknown", "uploads/a/b", "elsewhere/x"):
        studio.evidence.photo_arrived(key)


def test_a_store_that_is_away_leaves_the_photo_to_be_taken_in_later(studio: Studio) -> None:
    upload_id = studio.announced(a_rider(), GOOD)
    studio.store.put(original_key(upload_id), GOOD, content_type="image/jpeg")
    working = studio.evidence._store
    studio.evidence._store = S3PhotoStore(
        bucket="photos",
        region="cn-northwest-1",
        endpoint_url="http://127.0.0.1:9",
        path_style=True,
    )

    with pytest.raises(Unavailable):
        studio.evidence.photo_arrived(original_key(upload_id))
    between = studio.upload(upload_id).state
    studio.evidence._store = working
    studio.evidence.photo_arrived(original_key(upload_id))

    assert between == UploadState.PROCESSING
    assert studio.upload(upload_id).state == UploadState.READY


def test_wechat_is_asked_from_the_outbox_row_of_the_arrival(studio: Studio) -> None:
    upload_id = studio.announced(a_rider(), GOOD)

    studio.arrives(upload_id, GOOD)

    row = get(OutboxRow, derived_id("out", "media.check", upload_id))
    assert row is not None
    assert row.payload == {"upload_id": upload_id}
    assert studio.asked == []


def test_a_pass_publishes_and_takes_the_review_copy_away(studio: Studio) -> None:
    upload = studio.ready(a_rider())
    trace_id = studio.checks(upload.upload_id)[0].trace_id

    studio.judged(trace_id, "pass")
    studio.judged(trace_id, "pass")

    name = upload.public_name
    assert studio.asked == [f"https://photos.example/review/{name}.jpg"]
    assert studio.upload(upload.upload_id).verdict == Verdict.PASS
    assert studio.keys(name, is_published=True) == [True, True]
    assert studio.keys(name, is_published=False) == [False, False]


@pytest.mark.parametrize(
    ("suggest", "verdict", "kept"), [("risky", "risky", False), ("review", "review", True)]
)
def test_what_does_not_pass_is_never_published(
    studio: Studio, suggest: str, verdict: str, kept: bool
) -> None:
    upload = studio.ready(a_rider())

    studio.judged(studio.checks(upload.upload_id)[0].trace_id, suggest)

    assert studio.upload(upload.upload_id).verdict == verdict
    assert studio.keys(upload.public_name, is_published=True) == [False, False]
    assert studio.keys(upload.public_name, is_published=False) == [kept, kept]


def test_a_verdict_on_something_unknown_changes_nothing(studio: Studio) -> None:
    long_ago = studio.town.clock.now() - EARLY
    studio.evidence.verdict("trace_unknown", "pass", at=long_ago)


def test_a_verdict_that_does_not_come_is_asked_for_once_more_and_then_given_up(
    studio: Studio,
) -> None:
    upload = studio.ready(a_rider())
    clock = studio.town.clock

    for _ in range(3):
        clock.advance(timedelta(minutes=35))
        studio.evidence.sweep_checks(clock.now(), 1000)

    checks = studio.checks(upload.upload_id)
    assert [check.tries for check in checks] == [1, 2]
    assert [check.waiting for check in checks] == [None, None]
    assert studio.upload(upload.upload_id).verdict == Verdict.NONE


def test_a_verdict_that_comes_after_all_still_publishes(studio: Studio) -> None:
    upload = studio.ready(a_rider())
    trace_id = studio.checks(upload.upload_id)[0].trace_id
    studio.evidence.give_up(upload.upload_id)

    studio.judged(trace_id, "pass")

    assert studio.upload(upload.upload_id).verdict == Verdict.PASS


def test_a_photo_of_somebody_erased_stays_unchecked(studio: Studio) -> None:
    upload_id = a_photo(a_rider(), verdict=Verdict.WAITING.value)
    studio.upload(upload_id).update(actions=[UploadRow.member_id.set("gone")])

    studio.evidence.ask(upload_id)

    assert studio.asked == []
    assert studio.upload(upload_id).verdict == Verdict.NONE


def test_wechat_being_away_is_told_to_the_outbox(studio: Studio) -> None:
    upload_id = a_photo(a_rider(), verdict=Verdict.WAITING.value)
    studio.is_away = True

    with pytest.raises(Unavailable):
        studio.evidence.ask(upload_id)


def test_an_after_photo_does_not_count_as_evidence_of_the_problem(studio: Studio) -> None:
    town = studio.town
    case = town.claimed()
    before = case.photo_count
    photo = studio.ready(town.officer)

    assert photo.case_id is None
    assert town.case(case.case_id).photo_count == before


def test_nothing_is_counted_on_a_case_that_is_not(studio: Studio) -> None:
    upload_id = studio.announced(a_rider(), GOOD, case_id="case_unknown", report_id="rpt_unknown")
    studio.store.put(original_key(upload_id), GOOD, content_type="image/jpeg")

    with pytest.raises(Unavailable):
        studio.evidence.photo_arrived(original_key(upload_id))

    assert get(CaseRow, "case_unknown") is None


def test_a_photo_whose_object_is_gone_is_left_as_it_is(studio: Studio) -> None:
    upload_id = studio.announced(a_rider(), GOOD)

    studio.evidence.photo_arrived(original_key(upload_id))

    assert studio.upload(upload_id).state == UploadState.PROCESSING
    with pytest.raises(NotFound):
        studio.store.read(original_key(upload_id), max_bytes=10)
