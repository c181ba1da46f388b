"""Variable text → :class:`FeatureInfoSettings`, or all of its problems at once."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Callable, Optional

from ..strict_json import ObjectReader, Problem, StrictJsonError, read_json, shown
from . import settings as words
from .settings import (
    VARIABLE,
    FeatureInfoSettings,
    LayerOverride,
    LayerSettings,
    RelatedSettings,
)
from .templates import split_template

MAX_LIMIT = 1000
MAX_PRECISION = 15

LAYER_KEYS = (
    "properties",
    "place",
    "empty",
    "geometry",
    "precision",
    "fields",
    "rename",
    "computed",
    "related",
    "links",
    "attachments",
    "units",
    "static",
    "maptip",
)
RELATED_KEYS = (
    "fields",
    "rename",
    "computed",
    "units",
    "limit",
    "count",
    "order_by",
    "related",
)


def parse_settings(text: str, path: str = VARIABLE) -> Optional[FeatureInfoSettings]:
    """Return the settings of a text, None for ``off``; raise StrictJsonError with every problem."""
    word = text.strip().lower()
    value = word if word in ("on", "off") else read_json(text, path)
    if value == "off":
        return None
    if value == "on":
        return FeatureInfoSettings()
    problems: list[Problem] = []
    if not isinstance(value, dict):
        message = f'must be "on", "off" or an object, is {shown(value)}'
        raise StrictJsonError([Problem(path, message)])
    settings = _read_settings(value, path, problems)
    if problems:
        raise StrictJsonError(problems)
    return settings


def _read_settings(
    value: dict[str, Any], path: str, problems: list[Problem]
) -> FeatureInfoSettings:
    reader = ObjectReader(value, path, problems, (*LAYER_KEYS, "layers"))
    defaults = _read_layer(reader)
    layers = _object(reader, "layers")
    overrides = []
    for pattern, entry in layers.items():
        layer_path = f"{path}.layers.{pattern}"
        layer_reader = ObjectReader(entry, layer_path, problems, LAYER_KEYS)
        overrides.append(LayerOverride(pattern, layer_path, _read_layer(layer_reader)))
    return FeatureInfoSettings(
        LayerSettings(**defaults, paths=dict.fromkeys(defaults, path)), tuple(overrides)
    )


def _read_layer(reader: ObjectReader) -> dict[str, Any]:
    """Return only the keys that are there: an override sets nothing else."""
    readers: Mapping[str, Callable[[ObjectReader], Any]] = {
        "properties": lambda r: r.choice("properties", words.PROPERTIES_MODES, words.STOCK),
        "place": lambda r: r.choice("place", words.PLACES, words.MEMBER),
        "empty": lambda r: r.choice("empty", words.EMPTY_MODES, words.KEEP),
        "geometry": lambda r: r.choice("geometry", words.GEOMETRY_MODES, words.AS_IS),
        "precision": lambda r: r.integer("precision", 6, 0, MAX_PRECISION),
        "fields": lambda r: r.strings("fields"),
        "rename": _read_rename,
        "computed": lambda r: _texts(r, "computed"),
        "related": lambda r: _read_related(r, nested=False),
        "links": _read_links,
        "attachments": _read_attachments,
        "units": lambda r: _texts(r, "units"),
        "static": lambda r: MappingProxyType(_object(r, "static")),
        "maptip": lambda r: r.boolean("maptip", False),
    }
    return {key: readers[key](reader) for key in LAYER_KEYS if reader.has(key)}


def _object(reader: ObjectReader, key: str) -> dict[str, Any]:
    value = reader.member(key)
    if not reader.has(key):
        return {}
    if not isinstance(value, dict):
        reader.problem(key, f"must be an object, is {shown(value)}")
        return {}
    return value


def _texts(reader: ObjectReader, key: str) -> Mapping[str, str]:
    """Return an object of non-empty texts."""
    found: dict[str, str] = {}
    for name, value in _object(reader, key).items():
        if isinstance(value, str) and value.strip():
            found[name] = value
        else:
            reader.problem(f"{key}.{name}", f"must be a text, is {shown(value)}")
    return MappingProxyType(found)


def _read_rename(reader: ObjectReader) -> Mapping[str, str]:
    names = _texts(reader, "rename")
    seen: dict[str, str] = {}
    for name, new_name in names.items():
        other = seen.setdefault(new_name, name)
        if other != name:
            message = f"gives two fields the name {shown(new_name)} (the other is {shown(other)})"
            reader.problem(f"rename.{name}", message)
    return names


def _read_links(reader: ObjectReader) -> Mapping[str, str]:
    links = _texts(reader, "links")
    for name, template in links.items():
        is_plain = not any(is_expression for is_expression, _ in split_template(template))
        if is_plain and "[%" in template:
            reader.problem(f"links.{name}", 'has "[%" without "%]"')
    return links


def _read_attachments(reader: ObjectReader) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for name, value in _object(reader, "attachments").items():
        path = f"{reader.path}.attachments.{name}"
        entry = ObjectReader(value, path, reader.problems, ("base_url",))
        base = entry.string("base_url", "") or ""
        if base and not base.startswith(("http://", "https://")):
            entry.problem("base_url", f"must start with http:// or https://, is {shown(base)}")
        found[name] = base
    return MappingProxyType(found)


def _read_related(reader: ObjectReader, *, nested: bool) -> Mapping[str, RelatedSettings]:
    found: dict[str, RelatedSettings] = {}
    keys = tuple(key for key in RELATED_KEYS if not nested or key != "related")
    for name, value in _object(reader, "related").items():
        path = f"{reader.path}.related.{name}"
        entry = ObjectReader(value, path, reader.problems, keys)
        found[name] = RelatedSettings(
            path=path,
            fields=entry.strings("fields"),
            rename=_read_rename(entry),
            computed=_texts(entry, "computed"),
            units=_texts(entry, "units"),
            limit=entry.integer("limit", 20, 0, MAX_LIMIT),
            count=entry.boolean("count", True),
            order_by=entry.strings("order_by") or (),
            related=MappingProxyType({}) if nested else _read_related(entry, nested=True),
        )
    return MappingProxyType(found)
