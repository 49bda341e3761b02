"""Every setting of the service, read once at start; all problems are named together.

A test compares this list with the README's table. Secrets are not here: they come from the
environment's secret store by name (``handlers/secrets.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

from models.alerts.entities import Template
from models.alerts.templates import Granted, granted

TemplateKind = Literal["svc", "emp", "sub", "long"]
"""Service account, employment relation, one-time and long-term subscription."""


class SettingsError(Exception):
    """One or more settings are missing or wrong; the message names each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Names in the environment are the field names in capitals.

    A template is its id, then ``ours=theirs`` for each field whose key the account numbers
    differently: ``tmpl-1 thing1=thing12 time3=time5``.
    """

    stage: str = "local"
    region: str = "cn-northwest-1"
    table_prefix: str = ""
    dynamodb_url: str = ""
    s3_url: str = ""
    photo_bucket: str = "partners-photos"
    photo_base_url: str = ""
    secrets_from: str = ""
    wechat_url: str = "https://api.weixin.qq.com"
    wecom_url: str = "https://qyapi.weixin.qq.com"
    mini_appid: str = ""
    service_appid: str = ""
    template_svc_officer_alert: str = "svc-officer-alert"
    template_svc_escalation: str = "svc-escalation"
    template_svc_digest: str = "svc-digest"
    template_emp_officer_alert: str = "emp-officer-alert"
    template_emp_escalation: str = "emp-escalation"
    template_emp_digest: str = "emp-digest"
    template_sub_officer_alert: str = "sub-officer-alert"
    template_sub_escalation: str = "sub-escalation"
    template_sub_digest: str = "sub-digest"
    template_sub_rider_progress: str = "sub-rider-progress"
    template_long_rider_progress: str = "long-rider-progress"
    api_host: str = ""
    clock_file: str = ""
    log_level: str = "INFO"
    refuses_unknown_fields: bool = False
    checks_answers: bool = False

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Settings:
        """Read the environment. Raises ``SettingsError`` naming every problem at once."""
        given: dict[str, Any] = {}
        problems = []
        for setting in fields(cls):
            text = environment.get(setting.name.upper())
            if text is None:
                continue
            if setting.type == "bool" and text not in ("0", "1"):
                problems.append(f"{setting.name.upper()} must be 0 or 1")
            given[setting.name] = text == "1" if setting.type == "bool" else text
        settings = cls(**given)
        problems += settings._template_problems()
        if settings.stage != "local":
            problems += [
                f"{name.upper()} is needed outside the local stage"
                for name in ("secrets_from", "mini_appid", "photo_base_url")
                if not getattr(settings, name)
            ]
            if settings.clock_file:
                problems.append("CLOCK_FILE belongs to the local stage only")
        if problems:
            raise SettingsError("; ".join(problems))
        return settings

    def granted(self, kind: TemplateKind) -> dict[Template, Granted]:
        """The templates of one kind that there are settings for."""
        found = {}
        for template in Template:
            text = getattr(self, f"template_{kind}_{template.value}", None)
            if text is not None:
                found[template] = granted(template, text)
        return found

    def _template_problems(self) -> list[str]:
        problems = []
        for setting in fields(self):
            _, _, name = setting.name.removeprefix("template_").partition("_")
            if not setting.name.startswith("template_"):
                continue
            try:
                granted(Template(name), getattr(self, setting.name))
            except ValueError as error:
                problems.append(f"{setting.name.upper()}: {error}")
        return problems
