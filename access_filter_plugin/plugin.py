"""Composition root: builds the features, in their order, and the one line that says so.

Imported behind the closed stand-in: whatever fails here leaves the server closed.
"""

from __future__ import annotations

import os
from typing import Any

from . import identity, json_codec, qgis_log
from .access_control.qgis_filter import AccessControlFeature
from .access_service.qgis_filter import AccessService
from .feature_info.qgis_filter import FeatureInfo
from .late_modules import require_lxml
from .operator_settings import read_operator_settings, take_secrets_out
from .qgis_requests import RequestPipeline
from .qgis_version import plugin_version, qgis_version
from .request_log.qgis_filter import RequestLog


def load(server_iface: Any) -> RequestPipeline:
    """Return the target of the registered filters; raise on anything that is not right."""
    require_lxml()
    json_codec.CODEC.tell = qgis_log.warning
    settings = read_operator_settings(os.environ)
    take_secrets_out(os.environ)
    access_control = AccessControlFeature(settings)
    pipeline = RequestPipeline(
        server_iface,
        settings,
        access_control=access_control,
        features=(
            access_control,
            AccessService(settings, server_iface),
            FeatureInfo(),
            RequestLog(settings),
        ),
    )
    qgis_log.warning(
        f"Access Filter {plugin_version()} on QGIS {qgis_version()}: identity from "
        f"{identity.load_line(settings)}; log to {settings.log_sink}; JSON by "
        f"{json_codec.CODEC.backend}; registered: access control, request log, feature info"
    )
    return pipeline
