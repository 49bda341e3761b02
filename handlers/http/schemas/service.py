"""What the service tells about itself."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict

from handlers.http.schemas.base import Answer, Instant


class Health(Answer):
    """Whether the service and its tables answer."""

    status: Literal["ok", "degraded"]
    version: str
    tables: Literal["ok", "unreachable"]


class Reason(Answer):
    """A code with its text."""

    code: str
    text: str


class ReportLimits(Answer):
    """What a report may hold."""

    text_max_characters: int
    photos_min: int
    photos_max: int
    photo_max_bytes: int
    capture_max_age_s: int
    clock_skew_s: int
    accuracy_max_m: int


class Bootstrap(Answer):
    """What a client needs before its first tap."""

    server_time: Instant
    min_client_version: str
    category_version: str
    consent_version: str
    limits: ReportLimits
    reasons: dict[str, list[Reason]]
    subscription_templates: dict[str, list[str]]
    hosts: dict[str, list[str]]


class LegalText(Answer):
    """One text with its version."""

    title: str
    text: str


class Legal(Answer):
    """Terms and privacy."""

    version: str
    terms: LegalText
    privacy: LegalText


class OpenAPI(Answer):
    """The contract itself."""

    model_config = ConfigDict(extra="allow")

    openapi: str
    paths: dict[str, Any]
