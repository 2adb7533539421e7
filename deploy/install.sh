#!/bin/sh
# Installs or upgrades the service on 64-bit Raspberry Pi OS (Bookworm, Trixie), Debian or Ubuntu:
#
#   sudo deploy/install.sh [--mqtt URL] [WHEEL]
#
# Without WHEEL, what is in this checkout. --mqtt writes the broker's address into the configuration;
# apart from that an existing /etc/fer-edge/config.toml stays as it is.
#
# The new version is built beside the old one, from the lock file with hashes, and tried with the demo.
# Then the service changes over, and is watched for a minute. If anything fails, the old version goes on.
#
# With DESTDIR set, everything is written below that folder, and Debian packages, users and the
# service manager are left alone. PYTHON names another Python than Debian's python3, FER_EDGE_WATCH_S
# how many seconds the service is watched.
set -eu
umask 022 # root's own may be 077, and the service is not root

checkout=$(dirname -- "$(dirname -- "$(readlink -f -- "$0")")")
root=${DESTDIR:-}
python=${PYTHON:-/usr/bin/python3}
home=$root/opt/fer-edge
venv=$home/venv
config=$root/etc/fer-edge/config.toml
units=$root/etc/systemd/system
link=$root/usr/local/bin/fer-edge
needed_mb=1024
new='' kept='' work='' changing=''
# shellcheck source=deploy/change-over.sh
. "$checkout/deploy/change-over.sh"

fail() {
    echo "install.sh: $*" >&2
    exit 1
}

say() {
    echo "install.sh: $*"
}

clean_up() {
    if [ -n "$changing" ]; then go_back; fi
    [ -z "$work" ] || rm -rf "$work"
    [ -z "$new" ] || [ -n "$kept" ] || rm -rf "$new"
    rmdir "$home/versions" "$home" 2>/dev/null || :
}

booted() {
    [ -z "$root" ] && [ -d /run/systemd/system ]
}

as_service() {
    if [ -z "$root" ]; then
        (cd / && exec setpriv --reuid fer-edge --regid fer-edge --init-groups -- "$@")
    else
        "$@"
    fi
}

check_machine() {
    machine=$(uname -m)
    case $machine-$(getconf LONG_BIT) in
    aarch64-64 | x86_64-64) ;;
    *) fail "needs a 64-bit system (this is $machine with $(getconf LONG_BIT)-bit programs):" \
        "install 64-bit Raspberry Pi OS; numpy, OpenCV and LiteRT have no 32-bit wheels" ;;
    esac
    if [ -z "$root" ]; then
        [ "$(id -u)" -eq 0 ] || fail "must be root: sudo $0"
        ! dpkg-query --show --showformat '${db:Status-Status}' fer-edge 2>/dev/null | grep -qx installed ||
            fail "the Debian package fer-edge is installed; first: sudo apt remove fer-edge"
    fi
}

# picamera2 exists only as a Debian package, python3-systemd saves a compiler; both are optional.
install_packages() {
    command -v apt-get >/dev/null || return 0
    wanted=
    for package in python3-venv python3-picamera2 python3-systemd; do
        dpkg-query --show --showformat '${db:Status-Status}' "$package" 2>/dev/null |
            grep -qx installed || wanted="$wanted $package"
    done
    [ -n "$wanted" ] || return 0
    apt-get update -qq || say "the list of Debian packages could not be renewed"
    there=
    for package in $wanted; do
        if apt-cache show "$package" >/dev/null 2>&1; then there="$there $package"; fi
    done
    [ -n "$there" ] || return 0
    say "Debian packages:$there"
    # shellcheck disable=SC2086 # a list of words
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $there >/dev/null ||
        say "they could not be installed; going on without"
}

# The camera's and the screen's devices belong to group video.
add_user() {
    id -u fer-edge >/dev/null 2>&1 ||
        useradd --system --user-group --no-create-home --home-dir /var/lib/fer-edge \
            --shell /usr/sbin/nologin fer-edge
    usermod --append --groups video fer-edge
}

# Everything that a version is made of, in one number: its name says whether it is there already.
name_version() {
    python_version=$("$python" -c 'import sys
print("%d.%d" % sys.version_info[:2])
sys.exit(sys.version_info < (3, 11))' 2>/dev/null) ||
        fail "needs Python 3.11 or newer: Raspberry Pi OS Bookworm or Trixie"
    lock=$checkout/deploy/locks/py$python_version-$machine.txt
    [ -e "$lock" ] || fail "there is no lock file for Python $python_version:" \
        "name another Python: PYTHON=/usr/bin/python3.N, or see deploy/lock"
    case $what in
    *.whl) number=$(basename -- "$what" | cut -d- -f2) ;;
    *) number=$(sed -n 's/^__version__ = "\(.*\)"/\1/p' "$what/fer_edge/__init__.py") ;;
    esac
    [ -n "$number" ] || fail "$what has no version"
    contents=$({
        "$python" -VV
        cat "$lock" "$checkout/deploy/locks/build.txt"
        if [ -d "$what" ]; then
            (cd "$what" && find fer_edge models pyproject.toml -type f ! -name '*.pyc' |
                LC_ALL=C sort | tr '\n' '\0' | xargs -0 sha256sum)
        else
            sha256sum <"$what"
        fi
    } | sha256sum | cut -c1-10)
    new=$home/versions/$number-$contents
}

# What Python keeps to put pip into new environments; in the service's own there is none.
find_pip() {
    pip_wheel=$("$python" -c 'import ensurepip, glob, os, sys
own = os.path.join(os.path.dirname(ensurepip.__file__), "_bundled")
found = [p for d in (own, "/usr/share/python-wheels") for p in glob.glob(d + "/pip-*.whl")]
print(found[0]) if found else sys.exit(1)' 2>/dev/null) || fail "needs Python's venv module: apt install python3-venv"
}

pip() {
    PYTHONPATH=$pip_wheel:$work/build "$new/bin/python" -m pip --disable-pip-version-check \
        --no-cache-dir --quiet "$@"
}

make_wheel() {
    pip install --target "$work/build" --only-binary :all: --require-hashes \
        --requirement "$checkout/deploy/locks/build.txt" &&
        pip wheel --no-deps --no-build-isolation --wheel-dir "$work" "$what"
}

run_demo() {
    as_service "$new/bin/fer-edge" run --source demo --fast --set source.frames=30 \
        --output jsonl >"$new/demo.jsonl" && [ -s "$new/demo.jsonl" ]
}

# System packages are visible inside, for picamera2; everything else is the lock file's.
build_version() {
    free_mb=$(df -Pm "$home" | awk 'NR == 2 { print $4 }')
    [ "$free_mb" -ge "$needed_mb" ] || fail "needs $needed_mb MB in $home, there are $free_mb"
    say "making $new"
    rm -rf "$new" # what an interrupted run left
    find_pip
    "$python" -m venv --without-pip --system-site-packages "$new" ||
        fail "cannot make a virtual environment, see above; nothing was changed"
    work=$(mktemp -d -p "$home/versions")
    pip install --ignore-installed --only-binary :all: --require-hashes --requirement "$lock" ||
        fail "cannot install the Python packages, see above; nothing was changed"
    wheel=$what
    if [ -d "$what" ]; then
        make_wheel || fail "cannot make a wheel of $what, see above; nothing was changed"
        wheel=$(echo "$work"/*.whl)
    fi
    pip install --ignore-installed --no-deps --no-index "$wheel" ||
        fail "cannot install $wheel, see above; nothing was changed"
    if "$python" -c 'import picamera2' 2>/dev/null; then
        "$new/bin/python" -c 'import picamera2' 2>/dev/null ||
            say "picamera2 does not load in $new; a CSI camera will not work: see fer-edge doctor"
    fi
    run_demo ||
        fail "the new version does not run the demo, see above; nothing was changed"
    touch "$new/complete"
}

# write_broker FILE: sets mqtt.url in it.
write_broker() {
    case $broker in *[\"\\]*) fail "--mqtt $broker: no address" ;; esac
    URL=$broker awk '
        function put() { print "url = \"" ENVIRON["URL"] "\""; done = 1 }
        /^\[/ { if (inside && !done) put(); inside = ($0 ~ /^\[mqtt\][ \t]*(#.*)?$/) }
        inside && !done && /^#?[ \t]*url[ \t]*=/ { put(); next }
        { print }
        END { if (!done) { if (!inside) print "\n[mqtt]"; put() } }' "$1" >"$1.new"
    cat "$1.new" >"$1"
    rm "$1.new"
}

# The configuration as it will be, and whether the new version takes it.
prepare_config() {
    work=${work:-$(mktemp -d -p "$home/versions")}
    chmod 755 "$work"
    mkdir -p "$work/etc"
    if [ -e "$config" ]; then cp "$config" "$work/etc/config.toml"; else
        cp "$checkout/deploy/config.example.toml" "$work/etc/config.toml"
    fi
    [ -z "$broker" ] || write_broker "$work/etc/config.toml"
    "$new/bin/fer-edge" config --config "$work/etc/config.toml" >/dev/null ||
        fail "the new version does not take the configuration, see above; nothing was changed"
}

what=$checkout broker=''
while [ $# -gt 0 ]; do
    case $1 in
    --mqtt)
        [ $# -ge 2 ] || fail "--mqtt needs an address: --mqtt mqtt://broker"
        broker=$2
        shift
        ;;
    -*) fail "usage: sudo deploy/install.sh [--mqtt URL] [WHEEL]" ;;
    *.whl) what=$(readlink -f -- "$1") ;;
    *) fail "$1 is no wheel" ;;
    esac
    shift
done
[ -e "$what" ] || fail "$what: no such file"

check_machine
name_version
mkdir -p "$home/versions"
exec 9<"$home"
flock --nonblock 9 || { new='' && fail "runs already"; }
trap clean_up EXIT
trap 'exit 1' HUP INT TERM
if [ -e "$new/complete" ]; then kept=yes; fi
if [ -z "$root" ]; then
    install_packages
    add_user
fi
[ -n "$kept" ] || build_version
prepare_config
if is_current; then
    say "$(basename "$new") is installed already"
else
    change_over
    say "installed $(basename "$new")"
fi
if booted; then
    echo "What fer-edge doctor finds:"
    as_service "$venv/bin/fer-edge" doctor --config "$config" || :
fi
echo "The broker's password goes into /etc/credstore/fer-edge.mqtt-password (owner root, mode 0600)."
