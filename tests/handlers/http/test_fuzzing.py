"""Whatever is sent, each operation answers as its contract says: generated requests find nothing.

schemathesis draws requests from the contract, good and bad ones, a hundred for each operation. Half
of the good ones are laid over a call that would succeed, so that they get past the first refusal.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from handlers.http.endpoint import Nothing, Operation
from handlers.http.openapi import document
from tests.support.good_calls import OPERATIONS, Request, good_call
from tests.support.world import World

SEED = 20260318
EXAMPLES = 100
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
LANGUAGES = st.sampled_from(["zh-CN", "en"]) | st.from_regex(r"[!-~]{1,8}", fullmatch=True)

App = Callable[[dict[str, Any], Any], Iterable[bytes]]


def by_name(op: Operation) -> str:
    return op.name


@pytest.fixture(scope="module")
def contract(world: World) -> Any:
    """The contract, with the app that is asked.

    Without security: every request brings its session, so none is bad for lacking one.
    """
    open_to_all = copy.deepcopy(document())
    for methods in open_to_all["paths"].values():
        for drawn in methods.values():
            drawn.pop("security", None)
    schema = schemathesis.openapi.from_dict(open_to_all)
    schema.app = world.gateway
    return schema


@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")
@pytest.mark.parametrize("op", OPERATIONS, ids=by_name)
def test_generated_requests_find_nothing(op: Operation, world: World, contract: Any) -> None:
    good = good_call(op.name, world)
    drawn = contract[op.path][op.method]
    cases = drawn.as_strategy(generation_mode=GenerationMode.POSITIVE)
    if "{" in op.path or op.body is not Nothing or op.query is not Nothing:
        cases |= drawn.as_strategy(generation_mode=GenerationMode.NEGATIVE)
    asked = 0

    @seed(SEED)
    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases, is_near=st.booleans(), language=LANGUAGES)
    def ask(case: Case, is_near: bool, language: str) -> None:
        nonlocal asked
        asked += 1
        if is_near and case.meta and case.meta.generation.mode.is_positive:
            bring_near(case, good)
        headers = {"Accept-Language": language}
        if good.person is not None:
            token = good.person.app.token if op.name != "sign_out" else world.rider().app.token
            headers["Authorization"] = f"Bearer {token}"
        response = case.call(headers=headers)
        case.validate_response(response, checks=CHECKS)
        if response.status_code >= 400:
            answer = response.json()
            assert answer["message"] not in ("", answer["code"])

    ask()

    assert asked >= EXAMPLES


def bring_near(case: Case, good: Request) -> None:
    """Name what there is, and change one field of a good body only."""
    case.path_parameters = dict(good.params)
    if isinstance(case.body, dict) and good.body is not None:
        changed = dict(list(case.body.items())[-1:])
        request_id = {"client_request_id": case.body.get("client_request_id")}
        case.body = {**request_id, **good.body, **changed}
