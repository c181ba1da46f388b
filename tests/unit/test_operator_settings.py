from __future__ import annotations

import os

import pytest

from access_filter_plugin.operator_settings import (
    OperatorSettings,
    read_operator_settings,
    take_secrets_out,
)
from access_filter_plugin.strict_json import StrictJsonError


def read(**variables: str) -> OperatorSettings:
    return read_operator_settings({f"ACCESS_FILTER_{k}": v for k, v in variables.items()})


def problems(environment: dict[str, str]) -> dict[str, str]:
    with pytest.raises(StrictJsonError) as caught:
        read_operator_settings(environment)
    return {problem.path: problem.message for problem in caught.value.problems}


def test_an_empty_environment_gives_the_defaults() -> None:
    assert read_operator_settings({"PATH": "/bin", "QGIS_PROJECT_FILE": "x"}) == OperatorSettings()


def test_every_variable_is_read() -> None:
    settings = read(
        IDENTITY="headers",
        USER_HEADER="x-my-user",
        ROLES_HEADER="X-My-Roles",
        ROLES_SEPARATOR="|",
        TRUSTED_PROXIES="10.0.0.0/8, ::1",
        PROXY_SECRET="secret, with blanks",
        USER_CASE="lower",
        RULES="/etc/rules.json",
        REQUIRE_RULES="1",
        PROJECTS="/srv/projects, postgresql://?service=gis",
        SERVICES="wps, landingpage",
        EXTERNAL_WMS="Maps.example.org, 192.0.2.7:8080, [::1]:80",
        ADMIN_ROLES="gis-admin, Ops",
        AUTHENTICATE="Bearer",
        LOG="/var/log/qgis.log",
        LOG_DEFAULT="always",
        LOG_KEY="key",
        MAX_BODY="2000000",
    )
    identity = settings.identity
    assert (identity.user_headers, identity.roles_header) == (("X-My-User",), "X-My-Roles")
    assert identity.roles_separator == "|"
    assert [str(network) for network in settings.trusted_proxies] == ["10.0.0.0/8", "::1/128"]
    assert settings.proxy_secret == "secret, with blanks"
    assert settings.lower_case_users
    assert settings.rules_file == "/etc/rules.json"
    assert settings.require_rules
    assert settings.projects == ("/srv/projects", "postgresql://?service=gis")
    assert settings.services == {"WPS", "LANDINGPAGE"}
    assert settings.external_wms == {"maps.example.org", "192.0.2.7:8080", "[::1]:80"}
    assert settings.admin_roles == {"gis-admin", "Ops"}
    assert settings.authenticate == "Bearer"
    assert (settings.log_sink, settings.log_default) == ("/var/log/qgis.log", "always")
    assert settings.log_key == "key"
    assert settings.max_body_bytes == 2_000_000


@pytest.mark.parametrize(
    "name", ["ACCESS_FILTER_REQUIRE_RULE", "access_filter_require_rules", "Access_Filter_X"]
)
def test_an_unknown_variable_is_an_error_in_any_case(name: str) -> None:
    assert problems({name: "1"})[name].startswith("unknown variable")


def test_a_misspelt_variable_names_its_neighbour() -> None:
    message = problems({"ACCESS_FILTER_REQUIRE_RULE": "1"})["ACCESS_FILTER_REQUIRE_RULE"]
    assert message == 'unknown variable, did you mean "ACCESS_FILTER_REQUIRE_RULES"?'


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("IDENTITY", "autelia", 'is "autelia", did you mean "authelia"?'),
        ("IDENTITY", "Authelia", 'is "Authelia", did you mean "authelia"?'),
        ("IDENTITY", "", "is empty"),
        ("USER_HEADER", "X-User", "needs ACCESS_FILTER_IDENTITY=headers, which is remote_user"),
        ("ROLES_HEADER", "X-Roles", "needs ACCESS_FILTER_IDENTITY=headers"),
        ("ROLES_SEPARATOR", ";", "needs ACCESS_FILTER_IDENTITY=headers"),
        ("PROXY_SECRET", "", "is empty"),
        ("PROXY_SECRET", " padded", "must be printable ASCII without blanks around it"),
        ("PROXY_SECRET", "sécret", "must be printable ASCII"),
        ("PROXY_SECRET", "a\nb", "must be printable ASCII"),
        ("USER_CASE", "upper", 'must be one of "exact", "lower", is "upper"'),
        ("RULES", "rules.json", 'must be an absolute path, is "rules.json"'),
        ("RULES", "", "is empty"),
        ("REQUIRE_RULES", "yes", 'must be one of "0", "1", is "yes"'),
        ("REQUIRE_RULES", "", "is empty"),
        ("AUTHENTICATE", "Basic\r\nX: y", "must be printable ASCII"),
        ("LOG", "qgis.log", 'or an absolute path, is "qgis.log"'),
        ("LOG", "stdeer", 'did you mean "stderr"?'),
        ("LOG", "", "is empty"),
        ("LOG_DEFAULT", "allways", 'did you mean "always"?'),
        ("LOG_KEY", "", "is empty"),
        ("SERVICES", "wps,,x", "has an empty entry"),
        ("MAX_BODY", "", "is empty"),
        ("MAX_BODY", "0", 'must be a whole number of bytes, such as 1048576, is "0"'),
        ("MAX_BODY", "-1", 'is "-1"'),
        ("MAX_BODY", "10M", 'is "10M"'),
        ("MAX_BODY", "1e6", 'is "1e6"'),
        ("MAX_BODY", "٣", "must be a whole number of bytes"),
    ],
)
def test_a_wrong_value_is_told_with_what_was_expected(name: str, value: str, expected: str) -> None:
    found = problems({f"ACCESS_FILTER_{name}": value})
    assert expected in found[f"ACCESS_FILTER_{name}"]


@pytest.mark.parametrize(
    ("name", "value", "index", "expected"),
    [
        ("TRUSTED_PROXIES", "10.0.0.0/8,10.0.0.0/33", 1, "is not an address or a CIDR block"),
        ("TRUSTED_PROXIES", "10.1.2.3/8", 0, 'did you mean "10.0.0.0/8" or "10.1.2.3"?'),
        ("TRUSTED_PROXIES", "10.0.0.0/8,any", 1, '"any" must stand alone'),
        ("TRUSTED_PROXIES", "!10.0.0.0/8", 0, "is not an address or a CIDR block"),
        ("TRUSTED_PROXIES", "proxy.example.org", 0, "is not an address or a CIDR block"),
        ("PROJECTS", "projects", 0, "must be an absolute folder"),
        ("PROJECTS", "/a:/b", 0, "must be an absolute folder"),
        ("PROJECTS", "geopackage:", 0, "must be an absolute folder"),
        ("EXTERNAL_WMS", "https://maps.example.org", 0, "must be a host"),
        ("EXTERNAL_WMS", "maps.example.org/wms", 0, "must be a host"),
        ("EXTERNAL_WMS", "*", 0, "must be a host"),
        ("ADMIN_ROLES", "authenticated", 0, "is a built-in role"),
        ("ADMIN_ROLES", "anonymous", 0, "is a built-in role"),
    ],
)
def test_a_wrong_entry_of_a_list_is_told_by_its_index(
    name: str, value: str, index: int, expected: str
) -> None:
    found = problems({f"ACCESS_FILTER_{name}": value})
    assert expected in found[f"ACCESS_FILTER_{name}[{index}]"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("X_User", "must be a header's name"),
        ("X-User:", "must be a header's name"),
        ("Authorization", "which the client writes"),
        ("cookie", "which the client writes"),
        ("", "is empty"),
    ],
)
def test_a_user_header_must_be_one_that_a_proxy_can_set(value: str, expected: str) -> None:
    environment = {"ACCESS_FILTER_IDENTITY": "headers", "ACCESS_FILTER_USER_HEADER": value}
    assert expected in problems(environment)["ACCESS_FILTER_USER_HEADER"]


def test_own_headers_need_a_user_header() -> None:
    found = problems({"ACCESS_FILTER_IDENTITY": "headers"})
    assert found == {"ACCESS_FILTER_USER_HEADER": "is required by ACCESS_FILTER_IDENTITY=headers"}


def test_user_and_roles_cannot_be_one_header() -> None:
    environment = {
        "ACCESS_FILTER_IDENTITY": "headers",
        "ACCESS_FILTER_USER_HEADER": "X-User",
        "ACCESS_FILTER_ROLES_HEADER": "x-user",
    }
    assert "is the same header" in problems(environment)["ACCESS_FILTER_ROLES_HEADER"]


@pytest.mark.parametrize("value", ["", " "])
def test_an_empty_list_is_valid_and_allows_nothing(value: str) -> None:
    settings = read(PROJECTS=value, SERVICES=value, EXTERNAL_WMS=value, ADMIN_ROLES=value)
    assert settings.projects == ()
    assert not settings.services | settings.external_wms | settings.admin_roles
    assert read(TRUSTED_PROXIES=value).trusted_proxies == ()


def test_any_proxy_stands_apart_from_blocks() -> None:
    settings = read(TRUSTED_PROXIES="any")
    assert (settings.trust_any_proxy, settings.trusted_proxies) == (True, ())


def test_all_problems_are_told_at_once() -> None:
    environment = {
        "ACCESS_FILTER_IDENTITI": "x",
        "ACCESS_FILTER_LOG": "x",
        "ACCESS_FILTER_USER_CASE": "x",
    }
    assert set(problems(environment)) == set(environment)


@pytest.mark.parametrize("name", ["PROXY_SECRET", "LOG_KEY"])
@pytest.mark.parametrize("value", ["hush-hush é", " hush-hush", "hush-hush\n"])
def test_a_secret_never_stands_in_a_problem(name: str, value: str) -> None:
    environment = {f"ACCESS_FILTER_{name}": value, "ACCESS_FILTER_LOG": "wrong"}
    assert "hush" not in str(problems(environment))


def test_secrets_leave_the_environment() -> None:
    environment = {
        "ACCESS_FILTER_PROXY_SECRET": "a",
        "ACCESS_FILTER_LOG_KEY": "b",
        "ACCESS_FILTER_LOG": "off",
    }
    take_secrets_out(environment)
    assert environment == {"ACCESS_FILTER_LOG": "off"}


def test_secrets_leave_the_process_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCESS_FILTER_PROXY_SECRET", "a")
    take_secrets_out(os.environ)
    with os.popen("env") as printed:
        assert "ACCESS_FILTER_PROXY_SECRET" not in printed.read()
