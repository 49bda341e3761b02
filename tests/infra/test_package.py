"""What Lambda gets is complete, is nothing more, and names the policy of every function."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from infra import package
from infra.package import PackageError
from tests.support.source import ROOT

POLICIES = ROOT / "chalice_app" / ".chalice" / "policies"
CONFIG = json.loads((ROOT / "chalice_app" / ".chalice" / "config.json").read_text())
PYTHON = package.interpreter()
IS_NEW_ENOUGH = package._release(PYTHON) >= package.OLDEST


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not IS_NEW_ENOUGH:
        pytest.skip("no Python that Lambda's wheels fit is installed; the refusal is tested")
    return package.package(tmp_path_factory.mktemp("build") / "package", PYTHON)


@pytest.mark.slow
def test_the_zip_holds_the_product_and_what_it_needs_and_no_tools(made: Path) -> None:
    with zipfile.ZipFile(made) as zipped:
        names = set(zipped.namelist())

    tops = {name.split("/")[0] for name in names}
    ours = {
        str(path.relative_to(ROOT))
        for place in ("handlers", "models")
        for path in (ROOT / place).rglob("*.py")
    }
    assert ours <= names
    assert {"app.py", "PIL", "botocore", "pydantic", "pynamodb", "wechatpy"} <= tops
    assert {name for name in names if name.startswith("chalice/")} == {
        "chalice/__init__.py",
        "chalice/app.py",
    }
    assert tops.isdisjoint({"pip", "setuptools", "infra", "tests", "moto", "pytest"})
    assert not any("__pycache__" in name or name.endswith(".pyc") for name in names)


@pytest.mark.slow
def test_the_unzipped_package_runs_by_itself(made: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(made) as zipped:
        zipped.extractall(tmp_path)
    template = json.loads((made.parent / "sam.json").read_text())
    handlers = sorted(
        each["Properties"]["Handler"]
        for each in template["Resources"].values()
        if each["Type"] == "AWS::Serverless::Function"
    )
    script = (
        "import importlib, sys; sys.path.insert(0, sys.argv[1])\n"
        "for name in sys.argv[2:]:\n"
        "    module, _, attribute = name.rpartition('.')\n"
        "    assert callable(getattr(importlib.import_module(module), attribute)), name\n"
    )

    run = subprocess.run(
        [PYTHON, "-I", "-S", "-B", "-c", script, str(tmp_path), *handlers],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=tmp_path,
    )

    assert run.returncode == 0, run.stderr
    assert "app.app" in handlers


@pytest.mark.slow
def test_every_function_of_the_template_runs_under_its_own_policy(made: Path) -> None:
    template = json.loads((made.parent / "sam.json").read_text())
    text = json.dumps(template)

    functions = [
        each for each in template["Resources"].values() if each["Type"].endswith("::Function")
    ]
    assert len(functions) == len(CONFIG["stages"]["prod"]["lambda_functions"])
    assert '"arn:aws:' not in text
    for function in functions:
        assert function["Properties"]["Environment"]["Variables"]["STAGE"] == "prod"


@pytest.mark.slow
@pytest.mark.parametrize("region", ["cn-northwest-1", "ap-southeast-1"])
def test_the_template_is_lint_clean_in_and_outside_china(made: Path, region: str) -> None:
    lint = subprocess.run(
        [
            Path(sys.executable).with_name("cfn-lint"),
            "--regions",
            region,
            "--",
            made.parent / "sam.json",
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert (lint.returncode, lint.stdout, lint.stderr) == (0, "", "")


@pytest.mark.slow
def test_batches_may_fail_in_part_and_the_stream_is_the_data_stacks(made: Path) -> None:
    template = json.loads((made.parent / "sam.json").read_text())
    events = {
        event["Type"]: event["Properties"]
        for name in ("OnOutbox", "OnPhotoArrival")
        for event in template["Resources"][name]["Properties"]["Events"].values()
    }

    assert set(events) == {"DynamoDB", "SQS"}
    for event in events.values():
        assert event["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert events["DynamoDB"]["Stream"] == {"Fn::ImportValue": "partners-outbox-stream"}


def test_an_interpreter_too_old_for_lambdas_wheels_is_refused_and_the_setting_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package, "OLDEST", (99, 0))

    with pytest.raises(PackageError, match="PYTHON="):
        package.package(tmp_path / "package", sys.executable)

    assert list(tmp_path.iterdir()) == []


def test_a_wheel_built_on_this_machine_is_refused(tmp_path: Path) -> None:
    made = tmp_path / "deployment.zip"
    with zipfile.ZipFile(made, "w") as zipped:
        zipped.writestr("x-1.dist-info/WHEEL", "Tag: cp313-cp313-linux_x86_64\n")

    with pytest.raises(PackageError, match=r"x-1\.dist-info"):
        package._check(made)


def test_a_wheel_for_lambda_is_accepted(tmp_path: Path) -> None:
    made = tmp_path / "deployment.zip"
    with zipfile.ZipFile(made, "w") as zipped:
        zipped.writestr("x-1.dist-info/WHEEL", "Tag: cp313-cp313-manylinux_2_28_x86_64\n")

    package._check(made)


def test_every_policy_is_some_functions_and_every_function_has_one() -> None:
    functions: dict[str, Any] = CONFIG["stages"]["prod"]["lambda_functions"]
    used = {function["iam_policy_file"] for function in functions.values()}

    assert used == {f"policies/{path.name}" for path in POLICIES.iterdir()}
    assert CONFIG["autogen_policy"] is False


@pytest.mark.parametrize("path", sorted(POLICIES.iterdir()), ids=lambda path: path.stem)
def test_a_policy_allows_everything_only_where_its_name_says_why(path: Path) -> None:
    statements = json.loads(path.read_text())["Statement"]

    for statement in statements:
        assert not any(action.endswith(":*") or action == "*" for action in statement["Action"])
        if "*" in statement["Resource"]:
            assert statement["Sid"] in {"TracesHaveNoResource", "StreamsAreListedByAccount"}
        for resource in statement["Resource"]:
            if resource != "*":
                assert resource["Fn::Sub"].startswith("arn:${AWS::Partition}:")
