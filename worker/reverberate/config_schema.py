"""The config's JSON Schema, with every installed network and source in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reverberate.config_notices import TABLES
from reverberate.config_tables import AccountTable, Service, Site, SourceTable, Statistics

if TYPE_CHECKING:
    from pydantic import BaseModel

    from reverberate.networks.base import Network
    from reverberate.plugins import Plugins
    from reverberate.sources.base import Source


def json_schema(*, networks: Plugins[Network], sources: Plugins[Source]) -> dict[str, Any]:
    """The JSON Schema of the config, for editors; it knows every installed network and source."""
    accounts = [_variant(AccountTable, networks.get(name).Settings, "network", name) for name in networks.names()]
    feeds = [_variant(SourceTable, sources.get(name).Settings, "type", name) for name in sources.names()]
    channels = [model.model_json_schema() | {"title": name} for name, model in TABLES.items()]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "reverberate.toml",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "site": Site.model_json_schema(),
            "service": Service.model_json_schema(),
            "accounts": {"type": "object", "additionalProperties": {"oneOf": accounts}},
            "sources": {"type": "object", "additionalProperties": {"oneOf": feeds}},
            "notices": {"type": "object", "additionalProperties": {"oneOf": channels}},
            "statistics": Statistics.model_json_schema(),
        },
    }


def _variant(common: type[BaseModel], own: type[BaseModel], key: str, name: str) -> dict[str, Any]:
    first, second = common.model_json_schema(), own.model_json_schema()
    properties = first["properties"] | second.get("properties", {}) | {key: {"const": name}}
    definitions = first.get("$defs", {}) | second.get("$defs", {})
    return {
        "type": "object",
        "title": name,
        "properties": _inlined(properties, definitions),
        "required": sorted({key, *second.get("required", [])}),
        "additionalProperties": bool(second.get("additionalProperties", False)),
    }


def _inlined(node: Any, definitions: dict[str, Any]) -> Any:
    """The schema without references, so that variants can stand side by side."""
    if isinstance(node, list):
        return [_inlined(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _inlined(definitions[node["$ref"].rsplit("/", 1)[1]], definitions)
    return {key: _inlined(value, definitions) for key, value in node.items() if key != "default"}
