"""Settings are read once, complete, and are what the README says."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest

from handlers.settings import Settings, SettingsError
from models.alerts.entities import Template
from tests.support.source import ROOT

NAMES = {setting.name.upper() for setting in fields(Settings)}
PRODUCTION = {
    "STAGE": "prod",
    "SECRETS_FROM": "ssm:/partners/prod",
    "MINI_APPID": "wx0000000000000000",
    "PHOTO_BASE_URL": "https://photos.example",
}


def test_an_empty_environment_is_the_local_stage() -> None:
    settings = Settings.read({})

    assert settings == Settings()
    assert settings.stage == "local"
    assert not settings.refuses_unknown_fields


def test_every_setting_is_read_by_its_name_in_capitals() -> None:
    given = {
        setting.name.upper(): "1" if setting.type == "bool" else f"<{setting.name}>"
        for setting in fields(Settings)
        if setting.name != "clock_file"
    }

    settings = Settings.read(given)

    for setting in fields(Settings):
        if setting.name != "clock_file":
            expected = True if setting.type == "bool" else f"<{setting.name}>"
            assert getattr(settings, setting.name) == expected


def test_a_production_stage_with_all_it_needs_is_accepted() -> None:
    assert Settings.read(PRODUCTION).stage == "prod"


def test_all_problems_are_named_at_once() -> None:
    with pytest.raises(SettingsError) as raised:
        Settings.read(
            {
                "STAGE": "prod",
                "CLOCK_FILE": "/tmp/clock",
                "CHECKS_ANSWERS": "yes",
                "REFUSES_UNKNOWN_FIELDS": "true",
            }
        )

    problems = str(raised.value).split("; ")
    assert sorted(problem.split()[0] for problem in problems) == [
        "CHECKS_ANSWERS",
        "CLOCK_FILE",
        "MINI_APPID",
        "PHOTO_BASE_URL",
        "REFUSES_UNKNOWN_FIELDS",
        "SECRETS_FROM",
    ]


@pytest.mark.parametrize("name", ["SECRETS_FROM", "MINI_APPID", "PHOTO_BASE_URL"])
def test_a_production_stage_does_not_start_without_what_it_needs(name: str) -> None:
    given = {key: value for key, value in PRODUCTION.items() if key != name}

    with pytest.raises(SettingsError, match=name):
        Settings.read(given)


def test_a_template_with_a_wrong_field_key_stops_the_start() -> None:
    given = {
        "TEMPLATE_SVC_DIGEST": "tmpl-1 thing2=phrase2",
        "TEMPLATE_LONG_RIDER_PROGRESS": "tmpl-2 thing7=thing1",
        "TEMPLATE_SUB_DIGEST": "tmpl-3 thing2=thing8",
    }

    with pytest.raises(SettingsError) as raised:
        Settings.read(given)

    problems = str(raised.value).split("; ")
    assert [problem.split(":")[0] for problem in problems] == [
        "TEMPLATE_SVC_DIGEST",
        "TEMPLATE_LONG_RIDER_PROGRESS",
    ]


def test_a_kind_of_template_is_granted_with_its_keys() -> None:
    settings = Settings.read({"TEMPLATE_SUB_DIGEST": "tmpl-3 thing2=thing8"})

    granted = settings.granted("sub")

    assert granted[Template.DIGEST].template_id == "tmpl-3"
    assert granted[Template.DIGEST].keys == {"thing2": "thing8"}
    assert set(granted) == set(Template)
    assert set(settings.granted("long")) == {Template.RIDER_PROGRESS}


def test_settings_of_others_are_left_alone() -> None:
    assert Settings.read({"PATH": "/bin", "MINI_SECRET": "x"}) == Settings()


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_the_readme_holds_a_table_of_exactly_these_settings(name: str) -> None:
    readme = (ROOT / name).read_text(encoding="utf-8")
    section = re.split(r"^## ", readme, flags=re.MULTILINE)
    tables = [part for part in section if part.startswith(("Settings", "设置"))]

    rows = re.findall(r"^\| `([A-Z][A-Z0-9_]*)` \|", "".join(tables), flags=re.MULTILINE)

    assert sorted(rows) == sorted(NAMES)
