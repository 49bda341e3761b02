"""What the service tells about itself: health, contract, start-up values, legal texts."""

from __future__ import annotations

from collections.abc import Mapping

from chalice.app import Blueprint

from handlers import VERSION
from handlers.http.endpoint import Call, Nothing, Reply, endpoint
from handlers.http.legal import LEGAL_VERSION, PRIVACY, TERMS
from handlers.http.openapi import document
from handlers.http.schemas.service import Bootstrap, Health, Legal, OpenAPI
from handlers.http.texts.catalogue import text
from models.alerts.entities import Template
from models.alerts.templates import Granted
from models.base.errors import Unavailable
from models.cases import rules, workflow

MIN_CLIENT_VERSION = "1.0.0"

blueprint = Blueprint(__name__)


@endpoint(blueprint, "GET", "/v1/health", answer=Health, is_open=True)
def health(call: Call[Nothing, Nothing]) -> Reply:
    """Say whether the service and its tables answer."""
    try:
        call.services.places.check()
    except Unavailable:
        return {"status": "degraded", "version": VERSION, "tables": "unreachable"}
    return {"status": "ok", "version": VERSION, "tables": "ok"}


@endpoint(blueprint, "GET", "/v1/openapi.json", answer=OpenAPI, is_open=True)
def openapi(call: Call[Nothing, Nothing]) -> Reply:
    """Give the contract, as the code has it."""
    return document()


@endpoint(blueprint, "GET", "/v1/bootstrap", answer=Bootstrap, is_open=True)
def bootstrap(call: Call[Nothing, Nothing]) -> Reply:
    """Give what a client needs before its first tap."""
    settings = call.services.settings
    hosts = [settings.api_host] if settings.api_host else []
    once = settings.granted("sub")
    return {
        "server_time": call.services.clock.now(),
        "min_client_version": MIN_CLIENT_VERSION,
        "category_version": call.services.categories.edition(),
        "consent_version": LEGAL_VERSION,
        "limits": {
            "text_max_characters": rules.TEXT_MAX_CHARACTERS,
            "photos_min": rules.PHOTOS_MIN,
            "photos_max": rules.PHOTOS_MAX,
            "photo_max_bytes": rules.PHOTO_MAX_BYTES,
            "capture_max_age_s": int(rules.CAPTURE_MAX_AGE.total_seconds()),
            "clock_skew_s": int(rules.CLOCK_SKEW.total_seconds()),
            "accuracy_max_m": rules.ACCURACY_MAX_M,
        },
        "reasons": {
            action: [
                {"code": code, "text": text(f"case.reason.{code}", call.language)} for code in codes
            ]
            for action, codes in workflow.REASONS_BY_ACTION.items()
        },
        "subscription_templates": {
            "after_report": [once.pop(Template.RIDER_PROGRESS).template_id],
            "after_report_for_good": _ids(settings.granted("long")),
            "after_claim": _ids(once),
            "bind_employment": _ids(settings.granted("emp")),
        },
        "hosts": {
            "request": hosts,
            "upload": [settings.s3_url or settings.photo_base_url],
            "download": [settings.photo_base_url],
        },
    }


@endpoint(blueprint, "GET", "/v1/legal", answer=Legal, is_open=True)
def legal(call: Call[Nothing, Nothing]) -> Reply:
    """Give the terms and the privacy text that consent refers to."""
    return {
        "version": LEGAL_VERSION,
        "terms": _shown(TERMS, call.language),
        "privacy": _shown(PRIVACY, call.language),
    }


def _ids(granted: Mapping[Template, Granted]) -> list[str]:
    return [one.template_id for one in granted.values()]


def _shown(both: dict[str, tuple[str, str]], language: str) -> dict[str, str]:
    chosen = 1 if language == "en" else 0
    return {part: texts[chosen] for part, texts in both.items()}
