"""Values of attachment fields → absolute URLs with their media type."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Optional
from urllib.parse import quote, unquote, urlsplit

from .templates import web_url

if TYPE_CHECKING:
    import mimetypes

_MORE_TYPES = {
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".heic": "image/heic",
    ".heif": "image/heif",
    ".md": "text/markdown",
    ".gpkg": "application/geopackage+sqlite3",
    ".geojson": "application/geo+json",
    ".kml": "application/vnd.google-earth.kml+xml",
    ".odt": "application/vnd.oasis.opendocument.text",
    ".ods": "application/vnd.oasis.opendocument.spreadsheet",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".opus": "audio/ogg",
    ".m4a": "audio/mp4",
}
UNKNOWN_TYPE = "application/octet-stream"


@lru_cache(maxsize=1)
def _types() -> mimetypes.MimeTypes:
    import mimetypes  # noqa: PLC0415 (only projects with attachments need it)

    # Python's own table, so that the answer does not depend on files of the machine. Python reads
    # those nonetheless, which takes 5 ms and 0.4 MB, so not at load.
    return mimetypes.MimeTypes(filenames=())


def media_type(url: str) -> str:
    """Return the media type that the name at the end of a URL stands for."""
    path = unquote(urlsplit(url).path).lower()
    for suffix, known in _MORE_TYPES.items():
        if path.endswith(suffix):
            return known
    return _types().guess_type(path, strict=False)[0] or UNKNOWN_TYPE


def attachment_url(
    value: Optional[str], base_url: str, folders: tuple[str, ...] = ()
) -> Optional[str]:
    """Return the URL of an attachment, or None where there is none to give.

    A web address stays. Any other value is a path below ``base_url``; the folders (the widget's
    default root, the project's folder) are taken off its front, and of a path that lies elsewhere
    only the file's name is told: folders of the server are nobody's business.
    """
    if value is None or not value.strip():
        return None
    address = web_url(value)
    if address is not None:
        return address
    path = _relative(value.strip().replace("\\", "/"), folders)
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if not base_url or not parts or ".." in parts:
        return None
    separator = "" if base_url.endswith(("/", "=")) else "/"
    return base_url + separator + quote("/".join(parts), safe="/", errors="replace")


def _relative(path: str, folders: tuple[str, ...]) -> str:
    for folder in folders:
        root = folder.replace("\\", "/").rstrip("/")
        if root and path.startswith(root + "/"):
            return path[len(root) + 1 :]
    is_absolute = path.startswith(("/", "file:")) or path[1:3] == ":/"
    return path.rsplit("/", 1)[-1] if is_absolute else path
