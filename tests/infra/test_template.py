"""The template that AWS gets, the tables that the code knows, and the local engine agree."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from moto import mock_aws

import models
from infra.local import engine as engines
from models.base.tables import Table


def table_classes() -> list[type[Table]]:
    """Every table of every capability."""
    for module in pkgutil.walk_packages(models.__path__, "models."):
        if module.name.endswith("tables"):
            importlib.import_module(module.name)
    found = [kind for kind in Table.__subclasses__() if kind.__module__.startswith("models.")]
    return sorted(found, key=lambda kind: (kind.__module__, kind.__name__))


def resources() -> dict[str, dict[str, Any]]:
    """The template's tables by name, without the prefix."""
    template = yaml.load(engines.TEMPLATE.read_text(encoding="utf-8"), Loader=engines._Template)
    return {
        resource["Properties"]["TableName"].replace("${Prefix}", ""): resource
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::DynamoDB::Table"
    }


CLASSES = table_classes()
RESOURCES = resources()


def by_class(kind: type[Table]) -> str:
    return kind.__name__


def keys(key_schema: list[dict[str, str]]) -> dict[str, str]:
    return {key["KeyType"]: key["AttributeName"] for key in key_schema}


def projection(drawn: dict[str, Any]) -> dict[str, Any]:
    return {**drawn, "NonKeyAttributes": sorted(drawn.get("NonKeyAttributes", []))}


def test_the_template_has_exactly_the_tables_that_the_code_knows() -> None:
    assert {kind.Meta.table_name for kind in CLASSES} == set(RESOURCES)


@pytest.mark.parametrize("kind", CLASSES, ids=by_class)
def test_a_tables_keys_and_indexes_are_the_templates(kind: type[Table]) -> None:
    wanted = RESOURCES[kind.Meta.table_name]["Properties"]
    schema: Any = kind._get_schema()
    types = {
        each["AttributeName"]: each["AttributeType"] for each in wanted["AttributeDefinitions"]
    }
    indexes = {index["IndexName"]: index for index in wanted.get("GlobalSecondaryIndexes", [])}

    assert keys(schema["key_schema"]) == keys(wanted["KeySchema"])
    for each in schema["attribute_definitions"]:
        assert types[each["AttributeName"]] == each["AttributeType"]
    for index in schema["global_secondary_indexes"]:
        same = indexes[index["index_name"]]
        assert keys(index["key_schema"]) == keys(same["KeySchema"])
        assert projection(index["projection"]) == projection(same["Projection"])


@pytest.mark.parametrize("name", sorted(RESOURCES))
def test_every_index_and_attribute_of_the_template_is_used(name: str) -> None:
    wanted = RESOURCES[name]["Properties"]
    users = [kind for kind in CLASSES if kind.Meta.table_name == name]

    indexes = {index["IndexName"] for index in wanted.get("GlobalSecondaryIndexes", [])}
    assert {index for kind in users for index in kind._indexes} == indexes
    keyed = {
        key["AttributeName"]
        for each in (wanted, *wanted.get("GlobalSecondaryIndexes", []))
        for key in each["KeySchema"]
    }
    assert {each["AttributeName"] for each in wanted["AttributeDefinitions"]} == keyed


@pytest.mark.parametrize("name", sorted(RESOURCES))
def test_rows_expire_exactly_where_the_code_says_when(name: str) -> None:
    expiry = RESOURCES[name]["Properties"].get("TimeToLiveSpecification")
    columns = {
        column.attr_name: column
        for kind in CLASSES
        if kind.Meta.table_name == name
        for column in kind.get_attributes().values()
    }

    if expiry is None:
        assert "ttl" not in columns
    else:
        assert expiry == {"AttributeName": "ttl", "Enabled": True}
        assert columns["ttl"].attr_type == "N"


def test_only_the_outbox_has_a_stream() -> None:
    streams = {
        name: resource["Properties"]["StreamSpecification"]
        for name, resource in RESOURCES.items()
        if "StreamSpecification" in resource["Properties"]
    }

    assert streams == {"outbox": {"StreamViewType": "NEW_IMAGE"}}


@pytest.mark.parametrize("name", sorted(RESOURCES))
def test_no_table_is_lost_with_its_stack(name: str) -> None:
    resource = RESOURCES[name]
    properties = resource["Properties"]

    assert resource["DeletionPolicy"] == resource["UpdateReplacePolicy"] == "Retain"
    assert properties["DeletionProtectionEnabled"] is True
    assert properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert properties["SSESpecification"]["SSEEnabled"] is True
    assert properties["BillingMode"] == "PAY_PER_REQUEST"


@pytest.mark.parametrize("region", ["cn-northwest-1", "ap-southeast-1"])
def test_the_template_is_lint_clean_in_and_outside_china(region: str) -> None:
    lint = subprocess.run(
        [Path(sys.executable).with_name("cfn-lint"), "--regions", region, "--", engines.TEMPLATE],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert (lint.returncode, lint.stdout, lint.stderr) == (0, "", "")


@mock_aws
def test_the_template_makes_a_stack_whose_tables_carry_the_stages_prefix() -> None:
    access = {
        "region_name": engines.REGION,
        "aws_access_key_id": engines.ACCESS_KEY,
        "aws_secret_access_key": engines.SECRET_KEY,
    }
    formation = boto3.client("cloudformation", **access)

    formation.create_stack(
        StackName="data",
        TemplateBody=engines.TEMPLATE.read_text(encoding="utf-8"),
        Parameters=[{"ParameterKey": "Prefix", "ParameterValue": "test-"}],
    )

    stack = formation.describe_stacks(StackName="data")["Stacks"][0]
    made = boto3.client("dynamodb", **access).list_tables()["TableNames"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert set(made) == {f"test-{name}" for name in RESOURCES}
    assert [output["OutputKey"] for output in stack["Outputs"]] == ["OutboxStream"]
