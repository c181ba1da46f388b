"""Answers documents from our own cache in ``requestReady``, and keeps those that were written.

QGIS shares its capabilities cache with everybody or with nobody (facts C5), and builds every other
document again for each request. Here callers with equal decisions share.
"""

from __future__ import annotations

import sys
from collections.abc import Hashable
from functools import lru_cache
from typing import Any, Optional

from qgis.server import QgsAccessControlFilter, QgsServerCacheFilter, QgsServerFilter

from ..operator_settings import OperatorSettings
from ..ows_request import DATA_OPERATIONS, OAPIF
from ..qgis_stand_in import AccessControl, FirstFilter, KeptElsewhere, LastFilter, write_answer
from ..request_context import RequestContext
from .document_cache import Document, DocumentCache, etag_of, matches_etag
from .policy import Catalog
from .project_access import OperationAccess, ProjectAccess, utc_now

CACHED = {
    "WMS": frozenset({"GetCapabilities", "GetProjectSettings", "GetContext"}),
    "WFS": frozenset({"GetCapabilities", "DescribeFeatureType"}),
    "WCS": frozenset({"GetCapabilities", "DescribeCoverage"}),
    "WMTS": frozenset({"GetCapabilities"}),
    OAPIF: frozenset({"Collections", "Collection", "Api"}),
}
#: Headers from which QGIS makes the addresses inside a document, or chooses its form: these, and
#: ``X-Qgis-Service-Url`` with its variants for each service. Lower case, with hyphens.
URL_HEADERS = frozenset(
    {
        "host",
        "forwarded",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-forwarded-port",
        "x-forwarded-prefix",
        "accept",
        "accept-language",
    }
)
_QGIS_HEADERS = "x-qgis-"
URL_VARIABLES = ("SERVER_NAME", "SERVER_PORT", "HTTPS", "REQUEST_URI", "SCRIPT_NAME")
#: Other listings that a service's documents name layers of: the project settings have WFSLayers.
ALSO_LISTED = {"WMS": (("WFS", "GetCapabilities"),)}
NOTE = "document_key"
_OWN_FILTERS = frozenset({AccessControl, FirstFilter, KeptElsewhere, LastFilter})


class Documents:
    """The cache as access control uses it."""

    def __init__(self, settings: OperatorSettings, cache: Optional[DocumentCache] = None) -> None:
        self._settings = settings
        self._cache = DocumentCache() if cache is None else cache
        self._vary = ", ".join(_identity_headers(settings))
        self._env: Any = None

    def use_environment(self, env: Any) -> None:
        """Take ``serverInterface().getEnv``, which reads the CGI variables of each request."""
        self._env = env

    def answer(
        self,
        context: RequestContext,
        access: OperationAccess,
        project: ProjectAccess,
        handler: Any,
    ) -> bool:
        """Answer from the cache and return True, or remember the key for :meth:`keep`."""
        request = context.request
        if request.operation not in CACHED.get(request.service, ()):
            return False
        if request.method not in ("GET", "HEAD") or not request.url or others_are_registered():
            return False
        key = self._key(context, access, project, handler)
        context.notes[NOTE] = (key, project)
        document = self._cache.get(key, utc_now())
        if document is None:
            return False
        self._write(document, context, handler)
        context.cached = True
        return True

    def keep_private(self, handler: Any) -> None:
        """Tell caches on the way that this answer is one caller's; browsers may keep it."""
        handler.setResponseHeader("Cache-Control", "private")
        handler.setResponseHeader("Vary", self._vary)

    def keep(self, context: RequestContext, handler: Any) -> None:
        """Keep a document that was written, after redaction, and give it its validators."""
        note = context.notes.get(NOTE)
        if note is None or handler.exceptionRaised() or (handler.statusCode() or 200) != 200:
            return
        key, project = note
        body = bytes(handler.body())
        content_type = handler.responseHeader("Content-Type")
        if handler.headersSent() or not body:
            return
        now = utc_now()
        document = Document(200, content_type, body, etag_of(body), project.valid_until(now))
        if context.request.method == "GET":
            self._cache.put(key, document)
        for name, value in self._headers(document).items():
            handler.setResponseHeader(name, value)

    def _key(
        self,
        context: RequestContext,
        access: OperationAccess,
        project: ProjectAccess,
        handler: Any,
    ) -> Hashable:
        request = context.request
        # Under FastCGI these are just the headers that QGIS itself can read, elsewhere all of them.
        headers = frozenset(
            (name, value) for name, value in handler.requestHeaders().items() if _forms_url(name)
        )
        variables = tuple(self._env(name) for name in URL_VARIABLES) if self._env else ()
        return (
            context.project.token,
            service_signature(project, access, context),
            request.operation,
            request.url,
            headers,
            variables,
        )

    def _headers(self, document: Document) -> dict[str, str]:
        """Return the validators; to no cache on the way may one caller's document be another's."""
        return {
            "ETag": document.etag,
            "Cache-Control": "private, no-cache",
            "Vary": self._vary,
        }

    def _write(self, document: Document, context: RequestContext, handler: Any) -> None:
        headers = self._headers(document)
        if matches_etag(handler.requestHeader("If-None-Match"), document.etag):
            write_answer(handler, 304, document.content_type, b"", headers)
        else:
            write_answer(handler, 200, document.content_type, document.body, headers)
            context.document_bytes = len(document.body)


@lru_cache(maxsize=256)
def _forms_url(name: str) -> bool:
    """Return whether a request header, however it is spelled, enters a document."""
    plain = name.lower().replace("_", "-")
    return plain in URL_HEADERS or plain.startswith(_QGIS_HEADERS)


def service_signature(
    project: ProjectAccess, access: OperationAccess, context: RequestContext
) -> tuple[str, ...]:
    """Return what a service's documents depend on: the decisions of all requests they tell of."""
    known = access.cache.get("service_signature")
    if isinstance(known, tuple):
        return known
    service = access.service
    parts = [access] + [
        project.access(context.subject, service, operation)
        for operation in DATA_OPERATIONS[service]
    ]
    parts += [project.access(context.subject, *listing) for listing in ALSO_LISTED.get(service, ())]
    found = (
        # With a challenge nobody in particular is answered otherwise than a user without rights.
        str(access.catalog is Catalog.CHALLENGE and access.caller.subject.is_anonymous),
        str(access.is_restricted),
        *(f"{part.operation}:{part.is_restricted}:{part.signature}" for part in parts),
    )
    access.cache["service_signature"] = found
    return found


def _identity_headers(settings: OperatorSettings) -> list[str]:
    source = settings.identity
    if not source.uses_headers:
        return ["Authorization", "Cookie"]
    return [name for name in (*source.user_headers, source.roles_header) if name]


def others_are_registered() -> bool:
    """Return whether another plugin may make documents depend on what our keys do not hold."""
    for base in (QgsServerFilter, QgsAccessControlFilter, QgsServerCacheFilter):
        for kind in base.__subclasses__():
            if kind not in _OWN_FILTERS and kind.__module__ in sys.modules:
                return True
    return False
