"""What the server operator decides: the ``ACCESS_FILTER_*`` variables, read once at load.

Under FastCGI the process environment is wiped by the first request (facts B), so these come from
``os.environ`` while the plugin loads and never later. Anything wrong in them closes the server: a
typo in ``ACCESS_FILTER_REQUIRE_RULES`` must not open anything.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from types import MappingProxyType
from typing import Optional

from .addresses import Network
from .operator_variables import PREFIX, VariableReader
from .strict_json import StrictJsonError
from .value_class import value_class


@value_class
class IdentitySource:
    """Where user and roles are read from; header names are as sent, the separator one text."""

    name: str = "remote_user"
    user_headers: tuple[str, ...] = ()
    """The first header that is not empty counts; empty for ``remote_user``."""
    roles_header: str = ""
    roles_separator: str = ","

    @property
    def uses_headers(self) -> bool:
        """True when a proof is needed, since a client could send these headers itself."""
        return bool(self.user_headers)


def _preset(name: str, users: tuple[str, ...], roles: str, separator: str) -> IdentitySource:
    return IdentitySource(name, users, roles, separator)


#: What each proxy sends. The spelling is the one that HTTP libraries normalise to, since some hosts
#: (py-qgis-server) hand us a dictionary of such names and compare exactly; FastCGI ignores case.
#: One family of headers each: a second one that the proxy does not overwrite would be the client's.
PRESETS: Mapping[str, IdentitySource] = MappingProxyType(
    {
        source.name: source
        for source in (
            _preset(
                "oauth2-proxy",
                ("X-Forwarded-Preferred-Username", "X-Forwarded-User"),
                "X-Forwarded-Groups",
                ",",
            ),
            _preset("authelia", ("Remote-User",), "Remote-Groups", ","),
            _preset("authentik", ("X-Authentik-Username",), "X-Authentik-Groups", "|"),
            _preset("georchestra", ("Sec-Username",), "Sec-Roles", ";"),
            _preset("lizmap", ("X-Lizmap-User",), "X-Lizmap-User-Groups", ","),
        )
    }
)
OWN_HEADERS = "headers"
IDENTITIES = ("remote_user", *PRESETS, OWN_HEADERS)


@value_class
class OperatorSettings:
    """The operator's settings, parsed; the defaults are those of an empty environment."""

    identity: IdentitySource = IdentitySource()
    trusted_proxies: tuple[Network, ...] = ()
    trust_any_proxy: bool = False
    proxy_secret: Optional[str] = None
    lower_case_users: bool = False
    rules_file: Optional[str] = None
    require_rules: bool = False
    projects: Optional[tuple[str, ...]] = None
    services: frozenset[str] = frozenset()
    external_wms: frozenset[str] = frozenset()
    admin_roles: frozenset[str] = frozenset()
    authenticate: str = 'Basic realm="QGIS Server"'
    log_sink: str = "stderr"
    log_default: str = "on"
    log_key: Optional[str] = None
    max_body_bytes: int = 1024 * 1024
    """As nginx has it; QGIS itself has taken up to 75 times the body before any plugin is asked."""


VARIABLES = (
    "IDENTITY",
    "USER_HEADER",
    "ROLES_HEADER",
    "ROLES_SEPARATOR",
    "TRUSTED_PROXIES",
    "PROXY_SECRET",
    "USER_CASE",
    "RULES",
    "REQUIRE_RULES",
    "PROJECTS",
    "SERVICES",
    "EXTERNAL_WMS",
    "ADMIN_ROLES",
    "AUTHENTICATE",
    "LOG",
    "LOG_DEFAULT",
    "LOG_KEY",
    "MAX_BODY",
)
SECRETS = ("PROXY_SECRET", "LOG_KEY")


def read_operator_settings(environment: Mapping[str, str]) -> OperatorSettings:
    """Return the settings of an environment; raise StrictJsonError with all of its problems."""
    reader = VariableReader(environment, VARIABLES, SECRETS)
    proxies, any_proxy = reader.trusted_proxies("TRUSTED_PROXIES")
    settings = OperatorSettings(
        identity=_identity(reader),
        trusted_proxies=proxies,
        trust_any_proxy=any_proxy,
        proxy_secret=reader.header_value("PROXY_SECRET"),
        lower_case_users=reader.choice("USER_CASE", ("exact", "lower")) == "lower",
        rules_file=reader.absolute_path("RULES"),
        require_rules=reader.choice("REQUIRE_RULES", ("0", "1")) == "1",
        projects=reader.projects("PROJECTS"),
        services=frozenset(name.upper() for name in reader.names("SERVICES")),
        external_wms=frozenset(name.lower() for name in reader.hosts("EXTERNAL_WMS")),
        admin_roles=frozenset(reader.roles("ADMIN_ROLES")),
        authenticate=reader.header_value("AUTHENTICATE") or OperatorSettings.authenticate,
        log_sink=reader.choice_or_path("LOG", ("stderr", "off", "syslog")),
        log_default=reader.choice("LOG_DEFAULT", ("on", "off", "always")),
        log_key=reader.text("LOG_KEY"),
        max_body_bytes=reader.size("MAX_BODY", OperatorSettings.max_body_bytes),
    )
    if reader.problems:
        raise StrictJsonError(reader.problems)
    return settings


def _identity(reader: VariableReader) -> IdentitySource:
    name = reader.choice("IDENTITY", IDENTITIES)
    if name == OWN_HEADERS:
        return _own_headers(reader)
    for variable in ("USER_HEADER", "ROLES_HEADER", "ROLES_SEPARATOR"):
        if reader.has(variable):
            reader.problem(variable, f"needs {PREFIX}IDENTITY={OWN_HEADERS}, which is {name}")
    return PRESETS.get(name, IdentitySource())


def _own_headers(reader: VariableReader) -> IdentitySource:
    user = reader.header_name("USER_HEADER")
    roles = reader.header_name("ROLES_HEADER")
    separator = reader.separator("ROLES_SEPARATOR", IdentitySource.roles_separator)
    if not reader.has("USER_HEADER"):
        reader.problem("USER_HEADER", f"is required by {PREFIX}IDENTITY={OWN_HEADERS}")
    if reader.has("ROLES_SEPARATOR") and not reader.has("ROLES_HEADER"):
        reader.problem("ROLES_SEPARATOR", f"needs {PREFIX}ROLES_HEADER")
    if user and user == roles:
        reader.problem("ROLES_HEADER", f"is the same header as {PREFIX}USER_HEADER")
    return IdentitySource(OWN_HEADERS, (user,) if user else (), roles, separator)


def take_secrets_out(environment: MutableMapping[str, str]) -> None:
    """Remove the secrets, so that no expression reads them; from ``os.environ`` also in C."""
    for name in SECRETS:
        environment.pop(PREFIX + name, None)
