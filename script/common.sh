# shellcheck shell=sh
# Sourced by every script of this folder: words to the user, packages, the virtual environment.
# POSIX sh. The sourcing script runs `set -eu` first; $root is the checkout it lies in.

root=$(cd "$(dirname "$0")/.." && pwd -P)
cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/access_filter_plugin

say() {
    printf '%s\n' "$*" >&2
}

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# Without root or sudo the sentence names what was to be done, so that a person can do it.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo "$@"
    else
        die "neither root nor sudo here; as root, run: $*"
    fi
}

is_installed() {
    [ "$(dpkg-query -W -f='${Status}' "$1" 2>/dev/null)" = 'install ok installed' ]
}

# Prints the packages that are not installed; of `a|b` any one will do, and `a|b` itself is printed.
missing_packages() {
    for wanted in "$@"; do
        found=
        for candidate in $(printf '%s' "$wanted" | tr '|' ' '); do
            if is_installed "$candidate"; then
                found=yes
                break
            fi
        done
        [ -n "$found" ] || printf '%s ' "$wanted"
    done
}

# Prints, for each argument, the first of its alternatives that apt can install.
installable() {
    for wanted in "$@"; do
        chosen=
        for candidate in $(printf '%s' "$wanted" | tr '|' ' '); do
            if apt-cache show "$candidate" >/dev/null 2>&1; then
                chosen=$candidate
                break
            fi
        done
        [ -n "$chosen" ] || die "apt knows no package $wanted (on Ubuntu it may be in the component 'universe')"
        printf '%s ' "$chosen"
    done
}

# A web server or database that we install for tests must not come up as a service of the machine:
# policy-rc.d keeps it from starting now, the disabled unit keeps it from starting at the next boot.
# In a subshell, so that the trap takes policy-rc.d away again whatever happens.
install_quietly() (
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        trap 'as_root rm -f "$policy"' EXIT
        trap 'exit 130' HUP INT TERM
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
        as_root chmod 755 "$policy"
    fi
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 -q install \
        --yes --no-install-recommends "$@" </dev/null >&2 || die "apt could not install: $*"
    [ -d /run/systemd/system ] || return 0
    for package in "$@"; do
        case $package in
            nginx* | postgresql) as_root systemctl disable --quiet "${package%-light}" || true ;;
        esac
    done
)

# need_packages NAME...: installs what is missing, and only that; `a|b` takes the first that exists.
need_packages() {
    [ -n "$(missing_packages "$@")" ] || return 0
    mkdir -p "$cache"
    # Of two scripts at once the second waits, and may find the work done.
    (
        # Where there is no flock there is no apt either: install_missing then says what is missing.
        if command -v flock >/dev/null 2>&1; then flock 9; fi
        install_missing "$@"
    ) 9>"$cache/apt.lock" || exit 1
}

install_missing() {
    missing=$(missing_packages "$@")
    [ -n "$missing" ] || return 0
    command -v apt-get >/dev/null 2>&1 ||
        die "this machine has no apt; install what these Debian packages hold: $missing"
    [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null 2>&1 ||
        die "neither root nor sudo here; as root, run: apt-get install --no-install-recommends $missing"
    say "Installing: $missing"
    as_root apt-get -o DPkg::Lock::Timeout=600 -q update </dev/null >&2 || die 'apt-get update failed'
    # shellcheck disable=SC2086  # package names, one word each
    chosen_packages=$(installable $missing) || exit 1
    # shellcheck disable=SC2086
    install_quietly $chosen_packages
}

# ensure_venv: sets and exports $PYTHON, an interpreter that sees the machine's PyQGIS and the tools
# of requirements-test.txt. Debian's own python3, since only that one has PyQGIS.
ensure_venv() {
    need_packages python3 python3-venv ca-certificates
    venv=$cache/venv
    requirements=$root/script/requirements-test.txt
    mkdir -p "$cache"
    stamp=$(
        /usr/bin/python3 --version
        sha256sum <"$requirements"
    )
    # Two scripts may start at once: the second waits, and finds the work done.
    (
        flock 9
        if [ ! -e "$venv/stamp" ] || [ "$(cat "$venv/stamp")" != "$stamp" ]; then
            update_venv
            printf '%s\n' "$stamp" >"$venv/stamp"
        fi
    ) 9>"$cache/venv.lock"
    PYTHON=$venv/bin/python
    export PYTHON
}

update_venv() {
    say "Preparing $venv"
    version=$(/usr/bin/python3 -c 'import sys; print(*sys.version_info[:2])')
    # After an upgrade of the distribution the old environment belongs to a Python that is gone.
    if [ "$("$venv/bin/python" -c 'import sys; print(*sys.version_info[:2])' 2>/dev/null)" != "$version" ]; then
        rm -rf "$venv"
        /usr/bin/python3 -m venv --system-site-packages "$venv" || die 'the virtual environment could not be made'
    fi
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
        --requirement "$requirements" >&2 || die 'pip could not install script/requirements-test.txt'
}

# What QGIS Server needs to run behind a web server. QGIS keeps its own settings and styles in
# SQLite databases, so Qt's driver belongs to it.
# shellcheck disable=SC2034  # for the scripts that source this
server_packages='qgis-server python3-qgis python3-lxml qgis-common libqt5sql5-sqlite|libqt6sql6-sqlite
    nginx-light|nginx spawn-fcgi'
