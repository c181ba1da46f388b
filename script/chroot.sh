# shellcheck shell=sh
# Sourced after common.sh: Debian trees of other releases, made once and kept in the cache.
# shellcheck disable=SC2154  # common.sh sets $root and $cache

checkout=$root

# The mirror of this machine, if it is a plain Debian one: it is known to be reachable.
debian_mirror() {
    found=$(grep -rhv '^[[:space:]]*#' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null |
        grep -oE 'http://[^ ]+/debian/?( |$)' | head -n 1 | tr -d ' ') || true
    printf '%s\n' "${found:-http://deb.debian.org/debian}"
}

# make_tree SUITE DIRECTORY: a bare Debian. It gets its final name only when it is complete.
make_tree() {
    need_packages debootstrap debian-archive-keyring
    say "Making a Debian $1 tree in $2"
    # A release newer than this debootstrap has no script of its own; all new ones are made alike.
    recipe=/usr/share/debootstrap/scripts/$1
    [ -e "$recipe" ] || recipe=/usr/share/debootstrap/scripts/sid
    mkdir -p "$(dirname "$2")"
    as_root rm -rf --one-file-system "$2.part"
    as_root unshare --mount debootstrap --variant=minbase \
        --keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
        "$1" "$2.part" "$(debian_mirror)" "$recipe" </dev/null >&2 ||
        die "debootstrap could not make a Debian $1 tree in $2.part; its reason is in the lines above"
    # A mirror that stands still (a snapshot) has lists past their date. They are signed all the same,
    # and a tree for tests does not live on security updates.
    printf 'Acquire::Check-Valid-Until "false";\n' |
        as_root tee "$2.part/etc/apt/apt.conf.d/80still-mirror" >/dev/null
    as_root mv "$2.part" "$2"
}

# in_tree DIRECTORY COMMAND...: runs the command in the tree, in a copy of $checkout at /mnt.
# All mounts and processes belong to namespaces of their own, so that nothing outlives the command,
# however it ends: there is no list of mounts to undo.
in_tree() {
    tree=$1
    shift
    # shellcheck disable=SC2016  # the inner shell expands these
    as_root unshare --mount --propagation private --pid --fork --kill-child sh -c '
        set -eu
        tree=$1 checkout=$2
        shift 2
        mount -t proc proc "$tree/proc"
        mount --rbind /dev "$tree/dev"
        mount -t tmpfs tmpfs "$tree/tmp"
        mount -t tmpfs tmpfs "$tree/mnt"
        cp -L /etc/resolv.conf /etc/hosts "$tree/etc/"
        tar -C "$checkout" --exclude=__pycache__ --exclude="./.*_cache" \
            --exclude=./.hypothesis --exclude=./dist -cf - . | tar -C "$tree/mnt" --no-same-owner -xf -
        # No exec: this shell is process 1 of the namespace and must reap what the command leaves.
        status=0
        chroot "$tree" env -i --chdir=/mnt HOME=/root LANG=C.UTF-8 \
            PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
            "$@" </dev/null || status=$?
        exit "$status"
    ' sh "$tree" "$checkout" CI="${CI-}" ${http_proxy:+"http_proxy=$http_proxy"} "$@"
}

# ensure_tree SUITE PACKAGE...: sets $tree to a Debian of that release with these packages in it.
# The stamp is written last: a tree whose packages were not all installed has none.
ensure_tree() {
    release=$1
    shift
    wanted_tree=$cache/chroot-$release
    mkdir -p "$cache"
    (
        flock 9
        [ -d "$wanted_tree" ] || make_tree "$release" "$wanted_tree"
        stamp="$release: $*"
        if [ "$(cat "$wanted_tree/etc/access_filter_stamp" 2>/dev/null)" != "$stamp" ]; then
            # shellcheck disable=SC2016
            in_tree "$wanted_tree" sh -euc '. /mnt/script/common.sh; need_packages "$@"' \
                /mnt/script/packages "$@" >&2 ||
                die "the packages could not be installed in $wanted_tree"
            printf '%s\n' "$stamp" | as_root tee "$wanted_tree/etc/access_filter_stamp" >/dev/null
        fi
    ) 9>"$wanted_tree.lock"
    tree=$wanted_tree
}
