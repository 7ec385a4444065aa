"""The JSON schema of kubeflow.yml, for editors: ``# yaml-language-server: $schema=…`` in its first line.

https://json-schema.org/draft/2020-12
"""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from kedro_kubeflow.config.descriptions import descriptions
from kedro_kubeflow.config.exit import OUTCOMES
from kedro_kubeflow.config.kubeflow import KubeflowConfig
from kedro_kubeflow.config.model import Model

DIALECT = "https://json-schema.org/draft/2020-12/schema"

# Where a value may stand in place of a mapping, which pydantic's own schema does not know of its validators.
_SHORT: dict[tuple[str, str], list[str]] = {
    ("KubeflowConfig", "auth"): ["string"],
    ("RunConfig", "grouping"): ["string"],
    ("RunConfig", "ttl"): ["integer", "string"],
    ("JobConfig", "schedule"): ["string"],
}
# Other words that are read as those of the models, as the models' validators have them.
_SAME: dict[str, dict[str, Any]] = {
    "RunConfig": {"node_merge_strategy": {"enum": ["none", "full"], "deprecated": True}},
    "ScheduleConfig": {"cron_expression": {"type": "string"}, "max_concurrent_run_count": {"type": "integer"}},
    "NotificationConfig": {"on": {"type": "array", "items": {"enum": list(OUTCOMES)}}},
}


def config_schema() -> dict[str, Any]:
    """The schema of the whole file, as plain values."""
    schema = KubeflowConfig.model_json_schema(by_alias=True, schema_generator=_Described)
    models = {"KubeflowConfig": schema, **schema["$defs"]}
    for (model, key), kinds in _SHORT.items():
        if key in models.get(model, {}).get("properties", {}):
            models[model]["properties"][key] = _or(kinds, models[model]["properties"][key])
    for model, keys in _SAME.items():
        models[model]["properties"] |= keys
    return {
        "$schema": DIALECT,
        "$comment": "kedro-kubeflow, conf/<env>/kubeflow.yml",
        **schema,
        "title": "kubeflow.yml",
    }


class _Described(GenerateJsonSchema):
    """Every key with what is said of it."""

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        """``schema`` is pydantic's own of a model."""
        made = super().model_schema(schema)
        model: type[Model] = schema["cls"]
        for name, text in descriptions(model).items():
            made["properties"][model.model_fields[name].alias or name]["description"] = text
        return made


def _or(kinds: list[str], schema: dict[str, Any]) -> dict[str, Any]:
    """The same, or a plain value; what describes it stays outside."""
    kept: dict[str, Any] = {key: schema[key] for key in ("title", "description", "default") if key in schema}
    return {"anyOf": [{"type": kinds}, {key: value for key, value in schema.items() if key not in kept}], **kept}
