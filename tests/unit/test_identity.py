from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

import access_filter_plugin
from access_filter_plugin.identity import (
    PROOF_HEADER,
    PROOF_VARIABLE,
    header_lookup,
    load_line,
    no_header,
    reads_headers,
    resolve_subject,
)
from access_filter_plugin.operator_settings import PRESETS, OperatorSettings, read_operator_settings
from access_filter_plugin.subject import Subject

SECRET = "a-long-secret"
UNPROVEN = (
    "nothing: authelia needs ACCESS_FILTER_TRUSTED_PROXIES or ACCESS_FILTER_PROXY_SECRET, "
    "so everybody is anonymous"
)
EVIL = {"X-Lizmap-User": "evil", "X-Forwarded-User": "evil", "Remote-User": "evil"}


def settings(**variables: str) -> OperatorSettings:
    return read_operator_settings({f"ACCESS_FILTER_{k}": v for k, v in variables.items()})


def resolve(
    operator: OperatorSettings,
    headers: Mapping[str, str] | None = None,
    env: Mapping[str, str] | None = None,
) -> Subject:
    headers, env = headers or {}, env or {}
    return resolve_subject(operator, lambda n: headers.get(n, ""), lambda n: env.get(n, ""))


def test_the_web_servers_variables_name_user_and_roles() -> None:
    env = {"REMOTE_USER": "alice", "REMOTE_ROLES": " editor,viewer ,, ", "REMOTE_ADDR": "192.0.2.7"}
    expected = Subject("alice", frozenset({"editor", "viewer"}), ip_address("192.0.2.7"))
    assert resolve(settings(), env=env) == expected


def test_without_a_user_the_caller_is_anonymous_and_the_roles_are_dropped() -> None:
    assert resolve(settings(), env={"REMOTE_ROLES": "admin"}) == Subject()


def test_headers_never_name_a_user_where_the_web_server_does() -> None:
    everything = {**EVIL, "X-Access-Filter-Secret": SECRET}
    subject = resolve(settings(PROXY_SECRET=SECRET, TRUSTED_PROXIES="any"), everything)
    assert subject.is_anonymous


def test_the_web_server_never_names_a_user_where_headers_do() -> None:
    operator = settings(IDENTITY="authelia", PROXY_SECRET=SECRET)
    env = {"REMOTE_USER": "alice", "REMOTE_ROLES": "admin"}
    assert resolve(operator, {"X-Access-Filter-Secret": SECRET}, env).is_anonymous


@pytest.mark.parametrize(
    ("preset", "headers"),
    [
        (
            "oauth2-proxy",
            {"X-Forwarded-Preferred-Username": "alice", "X-Forwarded-Groups": "a,b c"}
            | {"X-Forwarded-User": "9f86d081"},
        ),
        ("oauth2-proxy", {"X-Forwarded-User": "alice", "X-Forwarded-Groups": "a,b c"}),
        ("authelia", {"Remote-User": "alice", "Remote-Groups": "a,b c"}),
        ("authentik", {"X-Authentik-Username": "alice", "X-Authentik-Groups": "a|b c"}),
        ("georchestra", {"Sec-Username": "alice", "Sec-Roles": "a;b c"}),
        ("lizmap", {"X-Lizmap-User": "alice", "X-Lizmap-User-Groups": "a, b c"}),
    ],
)
def test_each_preset_reads_its_own_headers_and_separator(
    preset: str, headers: dict[str, str]
) -> None:
    subject = resolve(settings(IDENTITY=preset, TRUSTED_PROXIES="any"), headers)
    assert (subject.user, subject.roles) == ("alice", {"a", "b c"})
    assert subject.source == f"headers:{preset}"


def test_own_headers_and_separator_can_be_named() -> None:
    operator = settings(
        IDENTITY="headers",
        USER_HEADER="x-my-user",
        ROLES_HEADER="x-my-roles",
        ROLES_SEPARATOR=" ",
        TRUSTED_PROXIES="any",
    )
    subject = resolve(operator, {"X-My-User": "alice", "X-My-Roles": "a b"})
    assert (subject.user, subject.roles, subject.source) == ("alice", {"a", "b"}, "headers")


def test_without_a_header_for_roles_there_are_none() -> None:
    operator = settings(IDENTITY="headers", USER_HEADER="X-My-User", TRUSTED_PROXIES="any")
    assert resolve(operator, {"X-My-User": "alice", "": "admin"}).roles == frozenset()


@pytest.mark.parametrize("preset", PRESETS)
def test_without_a_configured_proof_everybody_is_anonymous(preset: str) -> None:
    names = (*PRESETS[preset].user_headers, PRESETS[preset].roles_header)
    subject = resolve(settings(IDENTITY=preset), dict.fromkeys(names, "admin"))
    assert (subject, subject.source) == (Subject(), "none (no proof configured)")


@pytest.mark.parametrize("peer", ["198.51.100.7", "", "unix:", "garbage", "fd00::1"])
def test_headers_from_an_untrusted_address_count_for_nothing(peer: str) -> None:
    operator = settings(IDENTITY="authelia", TRUSTED_PROXIES="10.0.0.0/8")
    subject = resolve(operator, {"Remote-User": "alice"}, {"REMOTE_ADDR": peer})
    assert (subject.user, subject.source) == (None, "none (address not trusted)")


@pytest.mark.parametrize("peer", ["10.1.1.1", "::ffff:10.1.1.1"])
def test_headers_from_a_trusted_address_count(peer: str) -> None:
    operator = settings(IDENTITY="authelia", TRUSTED_PROXIES="10.0.0.0/8")
    assert resolve(operator, {"Remote-User": "alice"}, {"REMOTE_ADDR": peer}).user == "alice"


def test_a_forwarded_address_proves_nothing() -> None:
    operator = settings(IDENTITY="authelia", TRUSTED_PROXIES="10.0.0.0/8")
    headers = {"Remote-User": "alice", "X-Forwarded-For": "10.1.1.1"}
    assert resolve(operator, headers, {"REMOTE_ADDR": "198.51.100.7"}).is_anonymous


@pytest.mark.parametrize("sent", ["", "wrong", SECRET[:-1], SECRET + "x", SECRET.upper(), "é"])
def test_without_the_right_secret_headers_count_for_nothing(sent: str) -> None:
    operator = settings(IDENTITY="authelia", PROXY_SECRET=SECRET)
    subject = resolve(operator, {"Remote-User": "alice", "X-Access-Filter-Secret": sent})
    assert (subject.user, subject.source) == (None, "none (secret missing or wrong)")


def test_with_the_right_secret_headers_count() -> None:
    operator = settings(IDENTITY="authelia", PROXY_SECRET=SECRET)
    headers = {"Remote-User": "alice", "X-Access-Filter-Secret": SECRET}
    assert resolve(operator, headers).user == "alice"


def test_a_secret_that_got_lost_is_not_equal_to_a_header_that_is_absent() -> None:
    operator = OperatorSettings(identity=PRESETS["authelia"], proxy_secret="")
    assert resolve(operator, {"Remote-User": "alice"}).is_anonymous


@pytest.mark.parametrize(
    ("peer", "sent", "user"),
    [
        ("10.1.1.1", SECRET, "alice"),
        ("10.1.1.1", "wrong", None),
        ("198.51.100.7", SECRET, None),
    ],
)
def test_where_two_proofs_are_configured_both_must_hold(
    peer: str, sent: str, user: str | None
) -> None:
    operator = settings(IDENTITY="authelia", TRUSTED_PROXIES="10.0.0.0/8", PROXY_SECRET=SECRET)
    headers = {"Remote-User": "alice", "X-Access-Filter-Secret": sent}
    assert resolve(operator, headers, {"REMOTE_ADDR": peer}).user == user


def test_trusting_any_address_does_not_replace_the_secret() -> None:
    operator = settings(IDENTITY="authelia", TRUSTED_PROXIES="any", PROXY_SECRET=SECRET)
    assert resolve(operator, {"Remote-User": "alice"}).is_anonymous


@pytest.mark.parametrize("user", ["", " ", "\t"])
def test_an_empty_user_header_is_anonymous_without_roles(user: str) -> None:
    operator = settings(IDENTITY="authelia", TRUSTED_PROXIES="any")
    assert resolve(operator, {"Remote-User": user, "Remote-Groups": "admin"}) == Subject()


def test_a_header_sent_twice_is_anonymous_since_one_of_them_is_not_the_proxys() -> None:
    operator = settings(IDENTITY="authelia", TRUSTED_PROXIES="any")
    subject = resolve(operator, {"Remote-User": "evil, alice", "Remote-Groups": "admin"})
    assert (subject, subject.source) == (Subject(), "headers:authelia (more than one user)")


def test_the_web_servers_own_variable_may_hold_a_name_with_commas() -> None:
    assert resolve(settings(), env={"REMOTE_USER": "CN=a,O=b"}).user == "CN=a,O=b"


@pytest.mark.parametrize(
    "user", ["a\x00b", "a\nb", "a\x7fb", "a\u200bb", "a\u202eb", "m\ufffdller", "\ud800"]
)
def test_a_name_that_cannot_be_read_is_anonymous(user: str) -> None:
    assert resolve(settings(), env={"REMOTE_USER": user, "REMOTE_ROLES": "admin"}) == Subject()


@pytest.mark.parametrize("roles", ["editor,a\x00b", "m\ufffdnister,editor", "a\nb"])
def test_a_role_that_cannot_be_read_takes_the_whole_identity_away(roles: str) -> None:
    subject = resolve(settings(), env={"REMOTE_USER": "alice", "REMOTE_ROLES": roles})
    assert (subject, subject.source) == (Subject(), "remote_user (unreadable)")


@pytest.mark.parametrize("user", ["O'Brien", "müller", "x') or ('1'='1", "a\\b", "a@example.org"])
def test_a_readable_name_stays_as_it_is(user: str) -> None:
    assert resolve(settings(), env={"REMOTE_USER": user}).user == user


def test_built_in_roles_cannot_be_given() -> None:
    env = {"REMOTE_USER": "alice", "REMOTE_ROLES": "anonymous,authenticated,editor"}
    assert resolve(settings(), env=env).roles == {"editor"}


def test_users_are_compared_in_lower_case_only_where_the_operator_says_so() -> None:
    env = {"REMOTE_USER": "Alice", "REMOTE_ROLES": "Editor"}
    assert resolve(settings(), env=env).user == "Alice"
    lower = resolve(settings(USER_CASE="lower"), env=env)
    assert (lower.user, lower.roles) == ("alice", {"Editor"})


def test_the_address_is_told_behind_a_trusted_proxy() -> None:
    operator = settings(TRUSTED_PROXIES="10.0.0.0/8")
    headers = {"X-Forwarded-For": "203.0.113.9, 198.51.100.7"}
    subject = resolve(operator, headers, {"REMOTE_ADDR": "10.1.1.1"})
    assert subject.address == ip_address("198.51.100.7")


def test_trusting_any_address_for_identity_is_no_proxy_for_addresses() -> None:
    operator = settings(IDENTITY="authelia", TRUSTED_PROXIES="any")
    headers = {"X-Forwarded-For": "198.51.100.7", "Remote-User": "alice"}
    subject = resolve(operator, headers, {"REMOTE_ADDR": "10.1.1.1"})
    assert (subject.user, subject.address) == ("alice", ip_address("10.1.1.1"))


def test_a_caller_without_proof_still_has_an_address() -> None:
    subject = resolve(settings(IDENTITY="lizmap"), env={"REMOTE_ADDR": "192.0.2.7"})
    assert subject.address == ip_address("192.0.2.7")


@given(st.dictionaries(st.sampled_from(["REMOTE_USER", "REMOTE_ROLES", "REMOTE_ADDR"]), st.text()))
def test_no_text_makes_the_resolution_fail(env: dict[str, str]) -> None:
    subject = resolve(settings(TRUSTED_PROXIES="10.0.0.0/8"), env=env)
    assert subject.user is None or subject.user.isprintable()


@given(st.text(), st.text(), st.text())
def test_no_header_gives_an_identity_without_the_secret(user: str, roles: str, sent: str) -> None:
    operator = settings(IDENTITY="authelia", PROXY_SECRET=SECRET)
    headers = {"Remote-User": user, "Remote-Groups": roles, "X-Access-Filter-Secret": sent}
    assert resolve(operator, headers).is_anonymous


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "remote_user (set by the web server)"),
        ({"IDENTITY": "authelia"}, UNPROVEN),
        (
            {"IDENTITY": "authelia", "TRUSTED_PROXIES": "10.0.0.0/8,::1"},
            "headers:authelia (proven by address in 10.0.0.0/8, ::1/128)",
        ),
        (
            {"IDENTITY": "lizmap", "PROXY_SECRET": SECRET, "TRUSTED_PROXIES": "10.0.0.0/8"},
            "headers:lizmap (proven by address in 10.0.0.0/8 and proxy secret)",
        ),
        (
            {"IDENTITY": "lizmap", "TRUSTED_PROXIES": "any"},
            "headers:lizmap (believed from any address)",
        ),
        (
            {"IDENTITY": "lizmap", "TRUSTED_PROXIES": "any", "PROXY_SECRET": SECRET},
            "headers:lizmap (proven by proxy secret)",
        ),
    ],
)
def test_the_line_at_load_says_what_proves_an_identity(
    variables: dict[str, str], expected: str
) -> None:
    assert load_line(settings(**variables)) == expected
    assert SECRET not in expected


class DictionaryHandler:
    """A request handler that compares the names of headers exactly, as qgis_mapserver's does."""

    def __init__(self, headers: dict[str, str]) -> None:
        self.headers = headers

    def requestHeader(self, name: str) -> str:
        return self.headers.get(name, "")

    def requestHeaders(self) -> dict[str, str]:
        return self.headers


@pytest.mark.parametrize(
    "name", ["X-Authentik-Username", "X-authentik-username", "X-AUTHENTIK-USERNAME"]
)
def test_a_header_is_found_however_it_is_spelt(name: str) -> None:
    assert header_lookup(DictionaryHandler({name: "alice"}))("X-Authentik-Username") == "alice"


def test_a_header_in_two_spellings_with_two_values_is_none() -> None:
    handler = DictionaryHandler({"x-my-user": "evil", "X-MY-USER": "alice"})
    assert header_lookup(handler)("X-My-User") == ""


def test_a_header_that_is_absent_is_empty() -> None:
    assert header_lookup(DictionaryHandler({"X-My-Users": "alice"}))("X-My-User") == ""


@pytest.mark.parametrize(
    ("sent", "read"), [("müller".encode(), "müller"), (b"m\xfcller", "m\ufffdller"), (b"a", "a")]
)
def test_py_qgis_servers_bytes_are_read_as_utf_8(
    monkeypatch: pytest.MonkeyPatch, sent: bytes, read: str
) -> None:
    monkeypatch.setattr(access_filter_plugin, "_is_py_qgis_server", True, raising=False)
    handler = DictionaryHandler({"X-My-User": sent.decode("latin-1")})
    assert header_lookup(handler)("X-My-User") == read


def test_elsewhere_a_header_stays_as_it_is() -> None:
    assert header_lookup(DictionaryHandler({"X-My-User": "mÃ¼ller"}))("X-My-User") == "mÃ¼ller"


def test_the_proof_is_taken_out_under_the_name_by_which_servers_hand_it_over() -> None:
    assert (PROOF_HEADER, PROOF_VARIABLE) == (
        "X-Access-Filter-Secret",
        "HTTP_X_ACCESS_FILTER_SECRET",
    )


@pytest.mark.parametrize("proxies", ["", "10.0.0.0/8", "any"])
@pytest.mark.parametrize("source", ["remote_user", *PRESETS])
def test_headers_are_left_alone_only_where_nothing_depends_on_them(
    source: str, proxies: str
) -> None:
    operator = settings(IDENTITY=source, **({"TRUSTED_PROXIES": proxies} if proxies else {}))
    read: list[str] = []

    def header(name: str) -> str:
        read.append(name)
        return ""

    for env in (
        {"REMOTE_ADDR": "10.0.0.1", "REMOTE_USER": "eve"},
        {"REMOTE_ADDR": "192.0.2.1"},
        {},
    ):
        resolve_subject(operator, header, lambda name, env=env: env.get(name, ""))
    assert reads_headers(operator) or not read


def test_whoever_reads_a_header_where_none_is_to_be_read_fails() -> None:
    operator = settings(IDENTITY="authelia", TRUSTED_PROXIES="any")
    with pytest.raises(LookupError):
        resolve_subject(operator, no_header, lambda _name: "")
