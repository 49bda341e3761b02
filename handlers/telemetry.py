"""Logs and metrics at the edge: JSON lines with a constant event name, and CloudWatch's EMF."""

from __future__ import annotations

import logging
import os
import sys

NAMESPACE = "Partners"


def set_up(*, service: str, level: str = "INFO") -> None:
    """Make the root logger write Powertools' JSON lines; call once at start."""
    from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter  # 9 ms, once

    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(LambdaPowertoolsFormatter(service=service))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # These write request contents at DEBUG: tokens in URLs, rows of people.
    for noisy in ("botocore", "boto3", "urllib3", "pynamodb", "PIL"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def count(operation: str, outcome: str) -> None:
    """Count one outcome of an operation; both come from closed sets in the code."""
    if "AWS_LAMBDA_FUNCTION_NAME" not in os.environ:
        return
    from aws_lambda_powertools.metrics import MetricUnit, single_metric

    with single_metric(
        name=f"{operation}.{outcome}",
        unit=MetricUnit.Count,
        value=1,
        namespace=NAMESPACE,
        default_dimensions={"stage": os.environ.get("STAGE", "local")},
    ):
        pass
