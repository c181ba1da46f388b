"""What is told of a raster layer: which of its bands, and what the settings ask of it in vain."""

from __future__ import annotations

from qgis.core import QgsRasterLayer

from .lint import Lint, unknown_band
from .name_selection import has_wildcard, select
from .settings import LayerSettings

#: Keys that are about rows and attributes.
_OF_VECTORS = ("computed", "related", "links", "attachments", "maptip")


def compile_bands(layer: QgsRasterLayer, settings: LayerSettings, lint: Lint) -> tuple[int, ...]:
    """Return the numbers of the bands that are told, in their order; note what makes no sense."""
    names = [str(layer.bandName(band)) for band in range(1, layer.bandCount() + 1)]
    for key in _OF_VECTORS:
        if key in settings.own:
            lint.warn(settings.path(key), "is not for raster layers")
    for key, suffix, name in _named(settings):
        path = settings.path(key) + suffix
        if name in names:
            lint.fits(path)
        else:
            lint.misses(path, unknown_band(layer.name(), name, names), own=key in settings.own)
    return tuple(names.index(name) + 1 for name in select(settings.fields, names))


def _named(settings: LayerSettings) -> list[tuple[str, str, str]]:
    """Return key, place and name of every band that the settings name."""
    fields = enumerate(settings.fields or ())
    found = [("fields", f"[{number}]", entry.removeprefix("!")) for number, entry in fields]
    for key in ("rename", "units"):
        found += [(key, f".{name}", name) for name in getattr(settings, key)]
    return [
        (key, suffix, name)
        for key, suffix, name in found
        if not has_wildcard(name) and (key != "units" or name not in settings.computed)
    ]
