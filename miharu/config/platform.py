"""Platforms on which no file outlasts the instance that wrote it, by the variables that they document."""

import os
from collections.abc import Mapping

__all__ = ("platform_without_disk",)


def platform_without_disk(environ: Mapping[str, str] = os.environ) -> str | None:
    """The name of the platform that this process runs on; ``None`` where files may last.

    Each is known by what it sets in deployed instances alone. The tools that imitate some of them on a
    developer's machine say so.
    """
    if environ.get("VERCEL") and environ.get("VERCEL_ENV") != "development":
        return "Vercel"  # before AWS Lambda, on which it runs functions
    if environ.get("AWS_LAMBDA_FUNCTION_NAME"):
        return "AWS Lambda"
    if (
        environ.get("FUNCTIONS_WORKER_RUNTIME")
        and environ.get("AZURE_FUNCTIONS_ENVIRONMENT") != "Development"
    ):
        return "Azure Functions"
    if environ.get("FUNCTION_TARGET") and environ.get("K_SERVICE"):
        return "Cloud Run functions"
    if environ.get("K_SERVICE") or environ.get("CLOUD_RUN_JOB"):
        return "Cloud Run"
    return None
