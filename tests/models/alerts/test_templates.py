"""A template's setting is its id and the account's own field keys, checked when it is read."""

from __future__ import annotations

import pytest

from models.alerts.entities import Template
from models.alerts.templates import granted


def test_an_id_alone_has_our_own_keys() -> None:
    read = granted(Template.OFFICER_ALERT, "tmpl-1")

    assert (read.template_id, read.keys) == ("tmpl-1", {})


def test_keys_may_be_numbered_differently_and_swapped() -> None:
    read = granted(Template.OFFICER_ALERT, "tmpl-1 thing1=thing2 thing2=thing1 time3=time12")

    assert read.keys == {"thing1": "thing2", "thing2": "thing1", "time3": "time12"}


def test_no_text_is_a_template_that_was_not_granted() -> None:
    assert granted(Template.DIGEST, "").template_id == ""


@pytest.mark.parametrize(
    "pairs",
    [
        "thing9=thing1",
        "thing1",
        "thing1=",
        "thing1=thing",
        "thing1=12",
        "thing1=phrase1",
        "thing1=short_thing1",
        "thing1=thing2",
        "time3=date3",
    ],
)
def test_a_key_that_does_not_fit_is_refused(pairs: str) -> None:
    with pytest.raises(ValueError, match=r"field"):
        granted(Template.OFFICER_ALERT, f"tmpl-1 {pairs}")
