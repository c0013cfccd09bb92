"""A schedule as a Kubernetes CronJob."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hybridmem.schedule.invocation import NightCommand
from hybridmem.schedule.systemd import NAME

MOUNTED = Path("/memory")
"""Where the container has the volume with the memory folder."""
STOP_SECONDS = 120


def manifest(command: NightCommand, image: str, claim: str) -> str:
    """A CronJob that runs `image`, in which ``hybridmem`` is installed, with the memory in the volume `claim`."""
    cron = command.plan.cron
    container: dict[str, Any] = {
        "name": NAME,
        "image": image,
        "command": ["hybridmem"],
        "args": command.arguments(MOUNTED),
        "volumeMounts": [{"name": "memory", "mountPath": str(MOUNTED)}],
    }
    if command.plan.budget.memory_gb is not None:
        # The dream is stopped at its budget; the kernel counts more than the dream does.
        container["resources"] = {"limits": {"memory": f"{int(command.plan.budget.memory_gb * 1250)}M"}}
    pod = {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": STOP_SECONDS,
        "containers": [container],
        "volumes": [{"name": "memory", "persistentVolumeClaim": {"claimName": claim}}],
    }
    resource = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": NAME},
        "spec": {
            "schedule": cron.portable,
            "timeZone": cron.zone,
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": int(command.plan.latest.total_seconds()),
            "successfulJobsHistoryLimit": 3,
            "failedJobsHistoryLimit": 3,
            # hybridmem retries by itself, and knows which errors are worth it.
            "jobTemplate": {"spec": {"backoffLimit": 0, "template": {"spec": pod}}},
        },
    }
    return "\n".join(_yaml(resource)) + "\n"


def _yaml(value: Any, indent: str = "") -> Iterator[str]:
    """Mappings and lists in block style; the values in them are JSON, which is YAML too."""
    entries = value.items() if isinstance(value, dict) else ((None, each) for each in value)
    for key, each in entries:
        head = f"{indent}{key}:" if key is not None else f"{indent}-"
        if not isinstance(each, dict | list):
            yield f"{head} {json.dumps(each)}"
        elif key is not None:
            yield head
            yield from _yaml(each, indent + "  ")
        else:
            first, *rest = _yaml(each, indent + "  ")
            yield f"{head} {first.lstrip()}"
            yield from rest
