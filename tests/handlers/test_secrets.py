"""Secrets come from the stage's store by name, and every purpose has a key of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from handlers.secrets import Keys, Secrets, open_secrets

REGION = "cn-northwest-1"


@pytest.fixture
def parameters(monkeypatch: pytest.MonkeyPatch) -> Iterator[Secrets]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    with mock_aws():
        boto3.client("ssm", region_name=REGION).put_parameter(
            Name="/partners/test/mini_secret", Value="kept", Type="SecureString"
        )
        yield open_secrets("ssm:/partners/test/", REGION)


def test_a_local_secret_is_read_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    path.write_text('{"mini_secret": "kept"}')

    assert open_secrets(f"file:{path}", REGION).get("mini_secret") == "kept"


def test_a_secret_on_aws_is_read_decrypted_and_once(parameters: Secrets) -> None:
    first = parameters.get("mini_secret")
    boto3.client("ssm", region_name=REGION).delete_parameter(Name="/partners/test/mini_secret")

    assert (first, parameters.get("mini_secret")) == ("kept", "kept")


def test_a_secret_that_is_not_there_is_named(parameters: Secrets, tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    path.write_text("{}")

    for store in (parameters, open_secrets(f"file:{path}", REGION)):
        with pytest.raises(KeyError, match="service_secret"):
            store.get("service_secret")


@pytest.mark.parametrize("source", ["", "file:", "ssm:", "env:X", "/path"])
def test_a_store_that_cannot_be_named_is_refused(source: str) -> None:
    with pytest.raises(ValueError, match="SECRETS_FROM"):
        open_secrets(source, REGION)


def test_every_purpose_has_its_own_key_and_always_the_same() -> None:
    keys = Keys(b"r" * 32)

    assert keys.derive("session") == Keys(b"r" * 32).derive("session")
    assert keys.derive("session") != keys.derive("cursor")
    assert keys.derive("session") != Keys(b"o" * 32).derive("session")
    assert len(keys.derive("session")) == 32


def test_a_short_root_key_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Keys(b"r" * 31)
