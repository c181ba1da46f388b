"""The web server of docs/deployment.md, as it stands there, in front of two workers."""

from __future__ import annotations

import base64
import configparser
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from access_filter_plugin.operator_settings import read_operator_settings

from .conftest import NGINX, ROOT, Server, new_server, qgis_environment

PAGE = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
HEAD = NGINX.partition("    server {{")[0]
ADMIN = {"access_rules": '[{"layers": "pub"}, {"layers": "staff", "roles": "editor"}]'}


def block(language: str) -> str:
    """Return the one code block of the page in a language."""
    found = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert len(found) == 1
    return str(found[0])


def environment_of(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines())


def workers(home: Path) -> list[str]:
    """Return the command lines by which the unit starts its two workers, in a folder of ours."""
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(block("ini"))
    command = unit["Service"]["ExecStart"]
    return [command.replace("%i", str(n)).replace("/run/", f"{home}/") for n in (1, 2)]


@pytest.fixture(scope="module")
def server(make_project: Callable[..., Path]) -> Iterator[Server]:
    """Start what the page describes; only places of the machine are replaced."""
    found = new_server(make_project(**ADMIN))
    home = found.home
    site = block("nginx")
    for old, new in {
        "listen 80;": f"listen 127.0.0.1:{found.port} reuseport;",
        "unix:/run/": f"unix:{home}/",
        "/etc/nginx/qgis-users": f"{home}/users",
        "include fastcgi_params;": "include /etc/nginx/fastcgi_params;",
    }.items():
        assert old in site
        site = site.replace(old, new)
    # What the page says of a project without MAP, at one of the doors.
    line = next(line for line in PAGE.splitlines() if "fastcgi_param QGIS_PROJECT_FILE" in line)
    parameter = line.split("`")[1].replace("/srv/projects/town.qgz", str(found.project))
    site = site.replace("auth_basic_user_file", f"{parameter}\n        auth_basic_user_file")
    head = HEAD.format(home=home, user="user root;" if os.geteuid() == 0 else "")
    (home / "nginx.conf").write_text(f"{head}\n{site}\n}}\n", encoding="utf-8")
    (home / "users").write_text("anna:{PLAIN}secret\nada:{PLAIN}secret\n", encoding="utf-8")
    told = environment_of(block("sh"))
    told |= {"ACCESS_FILTER_PROJECTS": str(found.project.parent)}
    told.pop("QGIS_PLUGINPATH")
    environment = qgis_environment(home, told)
    try:
        for number, command in enumerate(workers(home), start=1):
            (home / f"qgis-server-{number}").mkdir()
            found._run(command.split(), f"qgis-{number}.log", environment)
        found._run(["nginx", "-c", f"{home}/nginx.conf"], "nginx.out", None)
        wait_for(found)
        yield found
    finally:
        found.stop()


def wait_for(server: Server) -> None:
    from .conftest import _wait_for

    sockets = [server.home / f"qgis-server-{number}" / "qgis.sock" for number in (1, 2)]
    _wait_for(lambda: all(s.exists() for s in sockets) and server._is_listening(), server.processes)


def login(user: str, password: str = "secret") -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def who(server: Server, path: str, **headers: str) -> tuple[object, list[str], list[str]]:
    """Return user, roles and layers that GetPermissions tells at one door."""
    asked = {"MAP": str(server.project), "SERVICE": "ACCESS", "REQUEST": "GetPermissions"}
    answer = server.get(asked, headers, path=path)
    assert answer.status == 200, answer.text
    told = answer.json
    return told["user"], told["roles"], sorted(layer["name"] for layer in told["layers"])


NOBODY = (None, ["anonymous"], ["pub"])


def test_both_workers_answer_health(server: Server) -> None:
    for _ in range(6):  # nginx takes them in turn
        answer = server.get({"SERVICE": "ACCESS", "REQUEST": "Health"}, path="/ows")
        assert answer.json == {"plugin": "access_filter", "status": "ok"}


def test_the_public_door_knows_nobody(server: Server) -> None:
    assert who(server, "/ows") == NOBODY
    assert who(server, "/ows", **login("anna")) == NOBODY
    assert who(server, "/ows", **login("nobody", "wrong")) == NOBODY
    forged = {"X-Forwarded-User": "ada", "Remote-User": "ada", "REMOTE_USER": "ada"}
    assert who(server, "/ows", **forged) == NOBODY


def test_the_other_door_asks_for_a_password_and_knows_roles(server: Server) -> None:
    assert server.get("", path="/login/ows").status == 401
    assert server.get("", login("anna", "wrong"), path="/login/ows").status == 401
    found = who(server, "/login/ows", **login("anna"))
    assert found == ("anna", ["authenticated", "editor", "viewer"], ["pub", "staff"])


def test_the_administrator_of_the_page_may_ask_for_explanations(server: Server) -> None:
    asked = {"MAP": str(server.project), "SERVICE": "ACCESS", "REQUEST": "Explain", "USER": "anna"}
    assert server.get(asked, login("ada"), path="/login/ows").status == 200
    assert server.get(asked, login("anna"), path="/login/ows").status == 403
    assert server.get(asked, path="/ows").status == 403


def test_features_are_below_the_door(server: Server) -> None:
    asked = {"MAP": str(server.project)}
    answer = server.get(asked, {"Accept": "application/json"}, path="/ows/wfs3/collections")
    assert [found["id"] for found in answer.json["collections"]] == ["pub"]


def test_a_door_may_have_its_project(server: Server) -> None:
    asked = {"SERVICE": "WMS", "REQUEST": "GetCapabilities"}
    assert "<Name>staff</Name>" in server.get(asked, login("anna"), path="/login/ows").text
    assert "<Name>pub</Name>" not in server.get(asked, path="/ows").text


def test_a_project_elsewhere_is_refused(server: Server, tmp_path: Path) -> None:
    other = tmp_path / "other.qgs"
    other.write_bytes(server.project.read_bytes())
    asked = {"MAP": str(other), "SERVICE": "WMS", "REQUEST": "GetCapabilities"}
    assert server.get(asked, path="/ows").status == 403


def test_the_environment_of_every_way_is_one_the_plugin_takes() -> None:
    by_unit = environment_of(block("sh"))
    settings = read_operator_settings(by_unit)
    assert (settings.require_rules, settings.projects) == (True, ("/srv/projects",))
    by_apache = dict(re.findall(r"^FcgidInitialEnv (\S+) (.*)$", block("apache"), re.MULTILINE))
    assert by_apache == by_unit
    image = dict(re.findall(r"([A-Z_]+)=(\S+)", block("dockerfile")))
    assert {name: by_unit[name] for name in image} == image
