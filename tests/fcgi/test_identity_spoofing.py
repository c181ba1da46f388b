"""Who the server thinks is asking, when the client would like to be somebody else."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SECRET = "a-long-random-secret"
PROXY, STRANGER = "127.0.0.9", "127.0.0.1"
RULES = [
    {"id": "public", "layers": "pub"},
    {"id": "staff", "users": "alice", "layers": "staff"},
    {"id": "office", "addresses": "198.51.100.0/24", "layers": "staff"},
]
PROVEN_BY_SECRET = {
    "ACCESS_FILTER_IDENTITY": "lizmap",
    "ACCESS_FILTER_PROXY_SECRET": SECRET,
}
READ_BY_FIELDS = ("HTTP_X_ACCESS_FILTER_SECRET", "ACCESS_FILTER_PROXY_SECRET", "HTTP_X_OTHER")
NOBODY = (None, ["anonymous"])


@pytest.fixture(scope="module")
def project(make_project: Callable[..., Path]) -> Path:
    return make_project(access_rules=json.dumps(RULES))


@pytest.fixture(scope="module")
def behind_proxy(serve: Callable[..., Any], project: Path) -> Any:
    """A server that believes the headers of one address, and an nginx that lets underscores in."""
    environment = {
        "ACCESS_FILTER_IDENTITY": "oauth2-proxy",
        "ACCESS_FILTER_TRUSTED_PROXIES": PROXY,
    }
    return serve(
        project,
        environment,
        {"HTTP_X_FORWARDED_FOR": "$http_x_forwarded_for"},
        directives="underscores_in_headers on;",
    )


@pytest.fixture(scope="module")
def behind_secret(serve: Callable[..., Any], project: Path) -> Any:
    """A server that believes whoever knows the secret."""
    return serve(project, PROVEN_BY_SECRET)


@pytest.fixture(scope="module")
def behind_nginx(serve: Callable[..., Any], project: Path) -> Any:
    """A server whose nginx writes the identity headers itself, as in docs/identity.md."""
    environment = {
        "ACCESS_FILTER_IDENTITY": "authelia",
        "ACCESS_FILTER_PROXY_SECRET": SECRET,
    }
    params = {
        "HTTP_REMOTE_USER": "$verified",
        "HTTP_REMOTE_GROUPS": "",
        "HTTP_X_ACCESS_FILTER_SECRET": SECRET,
    }
    verified = 'set $verified ""; if ($http_cookie = session-of-bob) { set $verified bob; }'
    directives = f"underscores_in_headers on; {verified}"
    return serve(project, environment, params, directives=directives)


@pytest.fixture(scope="module")
def behind_password(serve: Callable[..., Any], project: Path, tmp_path_factory: Any) -> Any:
    """A server whose nginx asks for a password and knows the roles, as in docs/identity.md."""
    users = tmp_path_factory.mktemp("nginx") / "users"
    users.write_text("alice:{PLAIN}right\nbob:{PLAIN}right\n")
    users.parent.chmod(0o755)
    for parent in list(users.parents)[:3]:
        parent.chmod(0o755)
    directives = (
        f'auth_basic "QGIS Server"; auth_basic_user_file {users};'
        ' set $roles ""; if ($remote_user = alice) { set $roles "editor, viewer"; }'
    )
    return serve(project, {}, {"REMOTE_ROLES": "$roles"}, directives=directives)


LOGIN = """
auth_request /login; auth_request_set $user $upstream_http_x_auth_request_user;
auth_request_set $groups $upstream_http_x_auth_request_groups;
location = /login {
    internal;
    proxy_pass http://127.0.0.1:$server_port/oauth2-proxy;
}
location = /oauth2-proxy {
    auth_request off;
    if ($http_cookie != session-of-bob) { return 401; }
    add_header X-Auth-Request-User bob;
    add_header X-Auth-Request-Groups "editor,viewer";
    return 204;
}
"""


@pytest.fixture(scope="module")
def behind_login(serve: Callable[..., Any], project: Path) -> Any:
    """A server whose nginx asks a login service first, as in docs/identity.md."""
    first = {"REMOTE_USER": "$user", "REMOTE_ROLES": "$groups"}
    return serve(project, {}, first=first, directives=LOGIN)


def caller(server: Any, headers: Any = (), **options: Any) -> tuple[str | None, list[str]]:
    """User and roles as the server tells them to the caller."""
    answer = server.ask(headers, SERVICE="ACCESS", REQUEST="GetPermissions", **options)
    assert answer.status == 200, answer.text
    return answer.json["user"], sorted(answer.json["roles"])


def sees_staff(server: Any, headers: Any = (), **options: Any) -> bool:
    answer = server.ask(headers, SERVICE="WMS", REQUEST="GetCapabilities", **options)
    assert answer.status == 200, answer.text
    assert "<Name>pub</Name>" in answer.text
    return "<Name>staff</Name>" in answer.text


def password(user: str, word: str) -> list[tuple[str, str]]:
    return [("Authorization", "Basic " + base64.b64encode(f"{user}:{word}".encode()).decode())]


def test_headers_of_the_trusted_address_name_user_and_roles(behind_proxy: Any) -> None:
    headers = {"X-Forwarded-User": "alice", "X-Forwarded-Groups": "editor,authenticated,admin"}
    roles = ["admin", "authenticated", "editor"]
    assert caller(behind_proxy, headers, address=PROXY) == ("alice", roles)
    assert sees_staff(behind_proxy, headers, address=PROXY)


@pytest.mark.parametrize(
    "name", ["X-Forwarded-User", "X_Forwarded_User", "X-Forwarded_User", "x-forwarded-user"]
)
def test_headers_of_any_other_address_count_for_nothing_however_spelt(
    behind_proxy: Any, name: str
) -> None:
    headers = {name: "alice", "X-Forwarded-Groups": "admin", "X-Forwarded-For": PROXY}
    assert caller(behind_proxy, headers, address=STRANGER) == NOBODY
    assert not sees_staff(behind_proxy, headers, address=STRANGER)


@pytest.mark.parametrize("user", ["", " ", "\t"])
def test_an_empty_header_of_the_trusted_address_is_anonymous(behind_proxy: Any, user: str) -> None:
    headers = {"X-Forwarded-User": user, "X-Forwarded-Groups": "admin"}
    assert caller(behind_proxy, headers, address=PROXY) == NOBODY


def test_each_request_is_judged_alone(behind_proxy: Any) -> None:
    headers = {"X-Forwarded-User": "alice"}
    seen = [
        caller(behind_proxy, *request, address=PROXY)[0]
        for request in ((headers,), (), ({"X-Forwarded-User": "bob"},), (headers,), ())
    ]
    assert seen == ["alice", None, "bob", "alice", None]


@pytest.mark.parametrize(
    ("value", "user"),
    [("müller".encode(), "müller"), ("müller".encode("latin-1"), None), (b"a\x01b", None)],
)
def test_a_name_outside_ascii_is_read_as_utf_8_or_not_at_all(
    behind_proxy: Any, value: bytes, user: str | None
) -> None:
    headers = {"X-Forwarded-User": value}
    answer = behind_proxy.ask(headers, address=PROXY, SERVICE="ACCESS", REQUEST="GetPermissions")
    # nginx itself may refuse a control character.
    assert answer.status == 400 or answer.json["user"] == user


@pytest.mark.parametrize(
    ("forwarded_for", "address", "inside"),
    [
        (["198.51.100.7"], PROXY, True),
        (["203.0.113.9, 198.51.100.7"], PROXY, True),
        (["198.51.100.7:4711"], PROXY, True),
        (["198.51.100.7, 203.0.113.9"], PROXY, False),
        (["198.51.100.7", "203.0.113.9"], PROXY, False),
        (["198.51.100.7, unknown"], PROXY, False),
        ([f"198.51.100.7, {PROXY}"], PROXY, True),
        ([], PROXY, False),
        (["198.51.100.7"], STRANGER, False),
        ([f"198.51.100.7, {PROXY}"], STRANGER, False),
    ],
)
def test_only_a_trusted_proxy_tells_the_clients_address(
    behind_proxy: Any, forwarded_for: list[str], address: str, inside: bool
) -> None:
    headers = [("X-Forwarded-For", value) for value in forwarded_for]
    assert sees_staff(behind_proxy, headers, address=address) is inside


def test_headers_with_the_secret_name_user_and_roles(behind_secret: Any) -> None:
    headers = {
        "X-Lizmap-User": "alice",
        "X-Lizmap-User-Groups": "admins, editors",
        "X-Access-Filter-Secret": SECRET,
    }
    assert caller(behind_secret, headers) == ("alice", ["admins", "authenticated", "editors"])


@pytest.mark.parametrize(
    "proof",
    [
        [],
        [("X-Access-Filter-Secret", "")],
        [("X-Access-Filter-Secret", "guess")],
        [("X-Access-Filter-Secret", SECRET[:-1])],
        [("X-Access-Filter-Secret", SECRET.upper())],
    ],
)
def test_headers_without_the_secret_count_for_nothing(behind_secret: Any, proof: Any) -> None:
    headers = [("X-Lizmap-User", "alice"), ("X-Lizmap-User-Groups", "admins"), *proof]
    assert caller(behind_secret, headers) == NOBODY


@pytest.mark.parametrize(
    "parameters",
    [
        {"LIZMAP_USER": "alice", "LIZMAP_USER_GROUPS": "admins"},
        {"REMOTE_USER": "alice", "USER": "alice", "ROLES": "admins"},
        {"X-Lizmap-User": "alice", "X-Access-Filter-Secret": SECRET},
    ],
)
def test_parameters_never_name_a_user(behind_secret: Any, parameters: dict[str, str]) -> None:
    assert caller(behind_secret, **parameters) == NOBODY
    assert caller(behind_secret, {"X-Access-Filter-Secret": SECRET}, **parameters) == NOBODY


def test_one_source_never_replaces_another(behind_secret: Any) -> None:
    others = {"X-Forwarded-User": "alice", "Remote-User": "alice", "X-Authentik-Username": "alice"}
    headers = {**others, "X-Access-Filter-Secret": SECRET}
    assert caller(behind_secret, [*headers.items(), *password("alice", "x")]) == NOBODY


@pytest.mark.parametrize(
    "headers",
    [
        [("Remote-User", "alice")],
        [("Remote_User", "alice")],
        [("remote-user", "alice"), ("REMOTE-USER", "alice")],
        [("Remote-User", "alice"), ("Remote-Groups", "admins")],
        [("Remote-User", "alice"), ("X-Access-Filter-Secret", SECRET)],
    ],
)
def test_what_nginx_writes_replaces_what_the_client_sent(behind_nginx: Any, headers: Any) -> None:
    assert caller(behind_nginx, headers) == NOBODY
    bob = [*headers, ("Cookie", "session-of-bob")]
    assert caller(behind_nginx, bob) == ("bob", ["authenticated"])


def test_a_checked_password_names_the_user_and_nginx_the_roles(behind_password: Any) -> None:
    roles = ["authenticated", "editor", "viewer"]
    assert caller(behind_password, password("alice", "right")) == ("alice", roles)
    assert caller(behind_password, password("bob", "right")) == ("bob", ["authenticated"])


@pytest.mark.parametrize("name", ["Remote-Roles", "REMOTE_ROLES", "Http-Remote-Roles"])
def test_a_client_cannot_add_roles_to_its_own_name(behind_password: Any, name: str) -> None:
    headers = [*password("bob", "right"), (name, "editor")]
    assert caller(behind_password, headers) == ("bob", ["authenticated"])


def test_a_wrong_password_does_not_reach_qgis(behind_password: Any) -> None:
    answer = behind_password.ask(password("alice", "wrong"), SERVICE="ACCESS", REQUEST="Health")
    assert answer.status == 401


@pytest.mark.parametrize(
    "others",
    [
        [],
        password("alice", "unchecked"),
        [("X-Auth-Request-User", "alice"), ("X-Auth-Request-Groups", "admins")],
        [("Remote-User", "alice"), ("X-Forwarded-User", "alice")],
    ],
)
def test_a_login_service_names_user_and_roles_whatever_else_is_sent(
    behind_login: Any, others: list[tuple[str, str]]
) -> None:
    headers = [("Cookie", "session-of-bob"), *others]
    assert caller(behind_login, headers) == ("bob", ["authenticated", "editor", "viewer"])
    refused = behind_login.ask(others, SERVICE="ACCESS", REQUEST="GetPermissions")
    assert refused.status == 401


@pytest.mark.parametrize(
    ("first", "after", "user"),
    [({}, {"REMOTE_USER": "carl"}, None), ({"REMOTE_USER": "carl"}, {}, "carl")],
)
def test_of_two_remote_user_lines_the_first_counts(
    serve: Callable[..., Any], project: Path, first: Any, after: Any, user: str | None
) -> None:
    assert caller(serve(project, {}, after, first=first))[0] == user


def test_an_emptied_remote_user_keeps_an_unchecked_name_out(
    serve: Callable[..., Any], project: Path
) -> None:
    server = serve(project, {}, first={"REMOTE_USER": ""})
    assert caller(server, password("alice", "unchecked")) == NOBODY


@pytest.mark.parametrize("preset", ["authelia", "georchestra"])
def test_a_header_preset_without_a_proof_leaves_everybody_anonymous_and_says_so(
    serve: Callable[..., Any], project: Path, preset: str
) -> None:
    server = serve(project, {"ACCESS_FILTER_IDENTITY": preset})
    headers = {"Remote-User": "alice", "Sec-Username": "alice", "Sec-Roles": "admins"}
    assert caller(server, headers) == NOBODY
    assert f"nothing: {preset} needs ACCESS_FILTER_TRUSTED_PROXIES" in server.log


def test_a_misspelt_variable_closes_the_server_and_names_its_neighbour(
    serve: Callable[..., Any], project: Path
) -> None:
    server = serve(project, {"ACCESS_FILTER_REQUIRE_RULE": "1"})
    assert server.ask(SERVICE="WMS", REQUEST="GetCapabilities").status == 503
    assert 'did you mean "ACCESS_FILTER_REQUIRE_RULES"?' in server.log


@pytest.fixture(scope="module")
def reading(make_project: Callable[..., Path]) -> Path:
    """A project without rules whose fields show what its expressions can read."""
    return make_project(environment=",".join(READ_BY_FIELDS))


def fields(server: Any, headers: dict[str, str]) -> list[str | None]:
    """What the fields of the project show to the sender of these headers."""
    asked = {"SERVICE": "WFS", "REQUEST": "GetFeature", "TYPENAME": "pub"}
    answer = server.ask(headers, OUTPUTFORMAT="application/json", **asked)
    assert SECRET not in answer.text + server.log
    properties = answer.json["features"][0]["properties"]
    return [properties[name] for name in READ_BY_FIELDS]


def test_no_expression_of_any_project_reads_the_secret(
    serve: Callable[..., Any], reading: Path
) -> None:
    """The last field shows that the fields can read what was not taken away."""
    server = serve(reading, PROVEN_BY_SECRET)
    headers = {"X-Access-Filter-Secret": SECRET, "X-Other": "seen", "X-Lizmap-User": "alice"}
    assert fields(server, headers) == [None, None, "seen"]
    assert caller(server, headers)[0] == "alice"


@pytest.fixture(scope="module")
def alone(serve_alone: Callable[..., Any], reading: Path) -> Any:
    """A qgis_mapserver: no web server is before it, and its environment is that of its start."""
    return serve_alone(reading, {**PROVEN_BY_SECRET, "HTTP_X_OTHER": "seen"})


def test_without_fastcgi_no_expression_reads_the_operators_secret(alone: Any) -> None:
    assert fields(alone, {"X-Access-Filter-Secret": SECRET}) == [None, None, "seen"]


@pytest.mark.parametrize("name", ["X-Lizmap-User", "x-lizmap-user", "X-LIZMAP-USER"])
def test_without_fastcgi_a_header_counts_however_it_is_spelt(alone: Any, name: str) -> None:
    assert caller(alone, {name: "alice", "x-access-filter-secret": SECRET})[0] == "alice"


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Lizmap-User": "alice"},
        {"X-Lizmap-User": "alice", "X-Access-Filter-Secret": "guess"},
        {"X_Lizmap_User": "alice", "X-Access-Filter-Secret": SECRET},
        {"X-LIZMAP-USER": "alice", "x-lizmap-user": "bob", "X-Access-Filter-Secret": SECRET},
    ],
)
def test_without_fastcgi_headers_need_the_secret_and_one_spelling(
    alone: Any, headers: dict[str, str]
) -> None:
    assert caller(alone, headers) == NOBODY
