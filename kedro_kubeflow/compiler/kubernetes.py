"""A step's settings in KFP's words: what goes into the container, and what into the platform spec.

The platform spec's messages are kubeflow/pipelines ``kubernetes_platform/proto/kubernetes_executor_config.proto``, written as
``kfp.kubernetes`` writes them, which a test compares setting by setting. Numbers of 64 bits are text in protobuf's JSON.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kedro_kubeflow.config.environment import ConfigMapKey, PodField, SecretKey
from kedro_kubeflow.config.extra_volumes import EmptyDirSource, EphemeralSource, ExtraVolume
from kedro_kubeflow.config.kubernetes import Affinity, NodeSelectorTerm, Requirement, SecurityContext, Toleration
from kedro_kubeflow.config.quantity import amount
from kedro_kubeflow.config.resources import Resources
from kedro_kubeflow.config.retry import RetryPolicyConfig
from kedro_kubeflow.config.settings import StepSettings
from kedro_kubeflow.plan.cache import is_mutable
from kedro_kubeflow.plan.task import Task

NO_END = 31_536_000
"""Seconds since its first attempt for which a task may be tried again, where nothing is said: kfp's own default would keep a task
that has run for an hour from ever being."""


def container_resources(resources: Resources) -> dict[str, Any]:
    """``ResourceSpec`` of the container; each amount also in the older form, for older servers."""
    spec: dict[str, Any] = {}
    for name, of in (("cpu", _cores), ("memory", _gigabytes)):
        for bound in ("request", "limit"):
            text = getattr(resources, f"{name}_{bound}")
            if text is not None:
                spec[f"{name}{bound.title()}"] = of(text)
                spec[f"resource{name.title()}{bound.title()}"] = text
    if resources.accelerator:
        kind, count = resources.accelerator, str(resources.accelerator_count)
        spec["accelerator"] = {"type": kind, "count": count, "resourceType": kind, "resourceCount": count}
    return spec


def retry_policy_json(policy: RetryPolicyConfig) -> dict[str, Any]:
    """``RetryPolicy`` of a task, as its message is written; empty where nothing is tried again."""
    if not policy.num_retries:
        return {}
    return {
        "maxRetryCount": policy.num_retries,
        "backoffDuration": f"{policy.backoff_duration}s",
        "backoffFactor": float(policy.backoff_factor),
        "backoffMaxDuration": f"{policy.max_duration or NO_END}s",
    }


def executor_config(task: Task) -> dict[str, Any]:
    """``KubernetesExecutorConfig`` of a task: what it needs by itself, and what its settings say; empty where neither does."""
    config = _by_itself(task)
    config = _merged(config, settings_config(task.settings, task.image)) if task.settings else config
    if task.as_root:
        # It is of no use as anybody else, whatever all tasks run as.
        config["securityContext"] = {**config.get("securityContext", {}), "runAsUser": "0", "runAsNonRoot": False}
    return config


def _by_itself(task: Task) -> dict[str, Any]:
    config: dict[str, Any] = {}
    if task.pod_fields:
        config["fieldPathAsEnv"] = [{"name": name, "fieldPath": field} for name, field in task.pod_fields.items()]
    if task.mount:
        name = {"producerTask": task.mount.name.task, "outputParameterKey": task.mount.name.key}
        reference = {"pvcNameParameter": {"taskOutputParameter": name}, "taskOutputParameter": name}
        config["pvcMount"] = [{"mountPath": task.mount.path, "subPath": "", **reference}]
    if task.run_as is not None:
        config["securityContext"] = {"runAsUser": str(task.run_as)}
    return config


def settings_config(given: StepSettings, image: str) -> dict[str, Any]:
    """The part of ``KubernetesExecutorConfig`` that kubeflow.yml asks for, without what Kubernetes does by itself."""
    config: dict[str, Any] = {}
    if given.image_pull_policy != _usual_pull_policy(image):
        config["imagePullPolicy"] = given.image_pull_policy
    if given.image_pull_secrets:
        config["imagePullSecret"] = [
            {"secretName": name, "secretNameParameter": constant(name)} for name in given.image_pull_secrets
        ]
    if given.node_selector:
        config["nodeSelector"] = {"labels": dict(given.node_selector)}
    if given.tolerations:
        config["tolerations"] = [_toleration(t) for t in given.tolerations]
    if given.affinity:
        config["nodeAffinity"] = list(_affinity(given.affinity))
    if given.pod_labels or given.pod_annotations:
        metadata = {"labels": dict(given.pod_labels), "annotations": dict(given.pod_annotations)}
        config["podMetadata"] = {key: value for key, value in metadata.items() if value}
    if given.security_context:
        config["securityContext"] = _security_context(given.security_context)
    if given.timeout:
        config["activeDeadlineSeconds"] = str(given.timeout)
    return {**config, **_environment(given), **_volumes(given.extra_volumes)}


def _usual_pull_policy(image: str) -> str:
    """https://kubernetes.io/docs/concepts/containers/images/#imagepullpolicy-defaulting"""
    return "Always" if is_mutable(image) else "IfNotPresent"


def constant(value: Any) -> dict[str, Any]:
    """A name that stands in the spec, where KFP would also take a parameter."""
    return {"runtimeValue": {"constant": value}}


def _cores(text: str) -> float:
    return float(amount(text))


def _gigabytes(text: str) -> float:
    return float(amount(text)) / 1e9


def _toleration(toleration: Toleration) -> dict[str, Any]:
    found = toleration.model_dump(by_alias=True, exclude_none=True)
    if toleration.toleration_seconds is not None:
        found["tolerationSeconds"] = str(toleration.toleration_seconds)
    return found


def _affinity(affinity: Affinity) -> Iterable[dict[str, Any]]:
    """A term with a weight is a wish; of those without, a cluster node must meet one, as in Kubernetes' own list."""
    rules = affinity.node_affinity
    required = rules.required_during_scheduling_ignored_during_execution
    for term in required.node_selector_terms if required else ():
        yield _term(term)
    for wish in rules.preferred_during_scheduling_ignored_during_execution:
        yield {**_term(wish.preference), "weight": wish.weight}


def _term(term: NodeSelectorTerm) -> dict[str, Any]:
    parts = {"matchExpressions": term.match_expressions, "matchFields": term.match_fields}
    return {key: [_requirement(r) for r in requirements] for key, requirements in parts.items() if requirements}


def _requirement(requirement: Requirement) -> dict[str, Any]:
    found: dict[str, Any] = {"key": requirement.key, "operator": requirement.operator}
    return {**found, "values": list(requirement.values)} if requirement.values else found


def _security_context(context: SecurityContext) -> dict[str, Any]:
    found = context.model_dump(by_alias=True, exclude_none=True)
    return {key: value if isinstance(value, bool) else str(value) for key, value in found.items()}


def _environment(given: StepSettings) -> dict[str, Any]:
    """The variables that are references; literals stand in the container."""
    config: dict[str, Any] = {}
    for name, value in sorted(given.env.items()):
        if isinstance(value, SecretKey):
            key = {"secretKey": value.key or name, "envVar": name}
            reference = {"secretName": value.secret, "secretNameParameter": constant(value.secret)}
            entry = {**reference, "keyToEnv": [key], "optional": value.optional}
            config.setdefault("secretAsEnv", []).append(entry)
        elif isinstance(value, ConfigMapKey):
            key = {"configMapKey": value.key or name, "envVar": name}
            reference = {"configMapName": value.config_map, "configMapNameParameter": constant(value.config_map)}
            entry = {**reference, "keyToEnv": [key], "optional": value.optional}
            config.setdefault("configMapAsEnv", []).append(entry)
        elif isinstance(value, PodField):
            config.setdefault("fieldPathAsEnv", []).append({"name": name, "fieldPath": value.field})
    return config


def _volumes(volumes: Iterable[ExtraVolume]) -> dict[str, Any]:
    config: dict[str, Any] = {}
    for volume in volumes:
        section, message = _volume(volume)
        config.setdefault(section, []).append({"mountPath": volume.mount_path, **message})
    return config


def _volume(volume: ExtraVolume) -> tuple[str, dict[str, Any]]:
    """Which list of the platform spec a volume belongs to, and what stands there beside its mount path."""
    source = volume.volume
    if source.secret:
        name = source.secret.secret_name
        reference = {"secretName": name, "secretNameParameter": constant(name)}
        return "secretAsVolume", {**reference, "optional": source.secret.optional}
    if source.config_map:
        name = source.config_map.name
        reference = {"configMapName": name, "configMapNameParameter": constant(name)}
        return "configMapAsVolume", {**reference, "optional": source.config_map.optional}
    if source.persistent_volume_claim:
        name = source.persistent_volume_claim.claim_name
        claim = {"constant": name, "pvcNameParameter": constant(name)}
        return "pvcMount", {**claim, **({"subPath": volume.sub_path} if volume.sub_path else {})}
    if source.ephemeral:
        return "genericEphemeralVolume", {"volumeName": volume.pod_name, **_claimed(source.ephemeral)}
    folder = source.empty_dir or EmptyDirSource()
    given = {"volumeName": volume.pod_name, "medium": folder.medium, "sizeLimit": folder.size_limit}
    return "emptyDirMounts", {key: value for key, value in given.items() if value is not None}


def _claimed(source: EphemeralSource) -> dict[str, Any]:
    spec, metadata = source.volume_claim_template.spec, source.volume_claim_template.metadata
    found: dict[str, Any] = {"accessModes": list(spec.access_modes), "size": spec.resources.requests.storage}
    if spec.storage_class_name is None:
        found["defaultStorageClass"] = True
    else:
        found["storageClassName"] = spec.storage_class_name
    marks = {key: value for key, value in metadata.model_dump(exclude_none=True).items() if value}
    return {**found, "metadata": marks} if marks else found


def _merged(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Lists one after the other, mappings key by key; the second goes first where both have a value."""
    merged = dict(first)
    for key, value in second.items():
        known = merged.get(key)
        if isinstance(value, list):
            merged[key] = [*(known or ()), *value]
        elif isinstance(value, dict):
            merged[key] = {**(known or {}), **value}
        else:
            merged[key] = value
    return merged
