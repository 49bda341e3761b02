"""Hold a browser's form against the policy it carries: whatever is not allowed is refused.

*Source:* Amazon S3 API reference, "Browser-Based Uploads Using POST (AWS Signature Version 4)",
pages "POST policy" and "Authenticating requests in browser-based uploads".
"""

from __future__ import annotations

import base64
import binascii
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from infra.local.photos.faults import Fault
from infra.local.photos.signatures import ALGORITHM, Keys

_NEVER_COVERED = {"policy", "x-amz-signature", "file"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeRange:
    """Least and greatest size in bytes, both allowed."""

    least: int
    most: int


def check_form(keys: Keys, form: Mapping[str, str], *, bucket: str, max_bytes: int) -> SizeRange:
    """Check everything that stands before the file; the answer says which sizes are allowed.

    ``form`` has its field names in lower case. Nothing of the file has been read yet, so a forged
    form costs no disk.
    """
    _check_signature(keys, form)
    policy = _read_policy(form["policy"])
    _check_expiration(policy)
    allowed = SizeRange(least=0, most=max_bytes)
    covered = set(_NEVER_COVERED)
    values = {"bucket": bucket, **form}
    if values["bucket"] != bucket:
        raise Fault("AccessDenied", "The form names another bucket than its address")
    for operator, name, value in map(_read_condition, policy["conditions"]):
        if operator == "content-length-range":
            allowed = SizeRange(
                least=max(allowed.least, int(name)), most=min(allowed.most, int(value))
            )
            continue
        covered.add(name)
        if not _holds(operator, values.get(name), value):
            raise Fault("AccessDenied", "Invalid according to Policy: Policy Condition failed")
    if any(name not in covered and not name.startswith("x-ignore-") for name in form):
        raise Fault("AccessDenied", "Invalid according to Policy: Extra input fields")
    return allowed


def _check_signature(keys: Keys, form: Mapping[str, str]) -> None:
    needed = ("policy", "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature")
    if any(name not in form for name in needed):
        raise Fault("AccessDenied", "The form carries no signed policy")
    if form["x-amz-algorithm"] != ALGORITHM:
        raise Fault("InvalidArgument", "Policies are signed with AWS4-HMAC-SHA256")
    # The policy's base64 text itself is what is signed.
    keys.check(
        form["x-amz-credential"], form["x-amz-date"], form["policy"], form["x-amz-signature"]
    )


def _read_policy(text: str) -> dict[str, Any]:
    try:
        policy = json.loads(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError) as exc:
        raise Fault("InvalidPolicyDocument", "The policy is not base64 of JSON") from exc
    if not isinstance(policy, dict) or not isinstance(policy.get("conditions"), list):
        raise Fault("InvalidPolicyDocument", "The policy has no conditions")
    return policy


def _check_expiration(policy: Mapping[str, Any]) -> None:
    try:
        expires_at = datetime.fromisoformat(policy["expiration"])
        expires_at_s = expires_at.timestamp()
    except (KeyError, TypeError, ValueError) as exc:
        raise Fault("InvalidPolicyDocument", "The policy has no valid expiration") from exc
    if expires_at.tzinfo is None:
        raise Fault("InvalidPolicyDocument", "The policy's expiration has no zone")
    if expires_at_s <= time.time():
        raise Fault("AccessDenied", "Invalid according to Policy: Policy expired.")


def _read_condition(condition: object) -> tuple[str, str, str]:
    """Bring both notations to (operator, field in lower case, value)."""
    match condition:
        case dict() if len(condition) == 1:
            ((name, value),) = condition.items()
            if isinstance(value, str):
                return "eq", name.lower(), value
        case ["eq" | "starts-with" as operator, str(name), str(value)] if name.startswith("$"):
            return operator, name[1:].lower(), value
        case ["content-length-range", int(least), int(most)]:
            return "content-length-range", str(least), str(most)
    raise Fault("InvalidPolicyDocument", "The policy holds a condition that is not understood")


def _holds(operator: str, given: str | None, value: str) -> bool:
    if given is None:
        return False
    return given == value if operator == "eq" else given.startswith(value)
