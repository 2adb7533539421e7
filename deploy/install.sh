#!/bin/sh
# Installs or upgrades the service on 64-bit Raspberry Pi OS (Bookworm, Trixie) or Debian:
#
#   sudo deploy/install.sh [WHEEL]
#
# Without WHEEL, what is in this checkout. Run again to upgrade: /etc/fer-edge/config.toml stays.
# With DESTDIR set, everything is written below that folder, and Debian packages, users and the
# service manager are left alone. PYTHON names another Python than Debian's python3.
set -eu
umask 022 # root's own may be 077, and the service is not root

checkout=$(dirname -- "$(dirname -- "$(readlink -f -- "$0")")")
root=${DESTDIR:-}
python=${PYTHON:-/usr/bin/python3}
home=$root/opt/fer-edge
venv=$home/venv
config=$root/etc/fer-edge/config.toml
unit=$root/etc/systemd/system/fer-edge.service
link=$root/usr/local/bin/fer-edge

fail() {
    echo "install.sh: $*" >&2
    exit 1
}

say() {
    echo "install.sh: $*"
}

check_machine() {
    machine=$(uname -m)
    case $machine-$(getconf LONG_BIT) in
    aarch64-64 | x86_64-64) ;;
    *) fail "needs a 64-bit system (this is $machine with $(getconf LONG_BIT)-bit programs):" \
        "install 64-bit Raspberry Pi OS; numpy, OpenCV and LiteRT have no 32-bit wheels" ;;
    esac
    if [ -z "$root" ] && [ "$(id -u)" -ne 0 ]; then
        fail "must be root: sudo $0"
    fi
}

# picamera2 exists only as a Debian package, python3-systemd saves a compiler; both are optional.
install_packages() {
    command -v apt-get >/dev/null || return 0
    apt-get update -qq || say "the list of Debian packages could not be renewed"
    wanted=python3-venv
    for package in python3-picamera2 python3-systemd; do
        if apt-cache show "$package" >/dev/null 2>&1; then
            wanted="$wanted $package"
        fi
    done
    say "Debian packages: $wanted"
    # shellcheck disable=SC2086 # a list of words
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $wanted >/dev/null
}

# The camera's and the screen's devices belong to group video.
add_user() {
    id -u fer-edge >/dev/null 2>&1 ||
        useradd --system --user-group --no-create-home --home-dir /var/lib/fer-edge \
            --shell /usr/sbin/nologin fer-edge
    usermod --append --groups video fer-edge
}

# System packages are visible inside, for picamera2. Its part simplejpeg is compiled against
# Debian's numpy and fails to load beside a numpy of another major version, so the environment must
# not bring one: with Bookworm's numpy 1.24 that also means an OpenCV that does not ask for 2.
# Trixie's numpy 2 suits all.
make_environment() {
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
        fail "needs Python 3.11 or newer: Raspberry Pi OS Bookworm or Trixie"
    version='import sys; print(sys.version_info[:2])'
    # Also made anew after an upgrade of the system has taken its Python away.
    if [ "$("$venv/bin/python" -c "$version" 2>/dev/null)" != "$("$python" -c "$version")" ]; then
        say "virtual environment: $venv"
        mkdir -p "$home"
        "$python" -m venv --clear --system-site-packages "$venv" ||
            fail "cannot make a virtual environment: apt install python3-venv"
    fi
    major=$("$python" -c 'import numpy; print(numpy.__version__.split(".")[0])' 2>/dev/null || :)
    if [ "$major" = 1 ]; then
        printf 'numpy<2\nopencv-python-headless<4.12\n' >"$home/constraints.txt"
    else
        : >"$home/constraints.txt"
    fi
}

install_program() {
    say "Python packages, from $1"
    set -- --quiet --disable-pip-version-check --constraint "$home/constraints.txt" "$1"
    "$venv/bin/python" -m pip install "$@" || fail "cannot install the Python packages, see above"
    case $what in *.whl) # is passed over where its version is already there
        "$venv/bin/python" -m pip install --force-reinstall --no-deps "$@" ;;
    esac
    if "$python" -c 'import picamera2' 2>/dev/null; then
        "$venv/bin/python" -c 'import picamera2' 2>/dev/null ||
            say "picamera2 does not load in $venv; a CSI camera will not work: see fer-edge doctor"
    fi
}

install_files() {
    if [ ! -e "$config" ]; then
        install -D -m 0644 "$checkout/deploy/config.example.toml" "$config"
        say "configuration: $config"
    fi
    install -D -m 0644 "$checkout/systemd/fer-edge.service" "$unit"
    install -D -m 0644 "$checkout/systemd/fer-edge@.service" "${unit%.service}@.service"
    # So that `fer-edge doctor` is found; another program of that name stays.
    if [ -L "$link" ] || [ ! -e "$link" ]; then
        mkdir -p "$root/usr/local/bin"
        ln -sf /opt/fer-edge/venv/bin/fer-edge "$link"
    fi
}

start_service() {
    [ -d /run/systemd/system ] || return 0
    systemctl daemon-reload
    systemctl --quiet enable fer-edge
    systemctl try-restart fer-edge 'fer-edge@*' # an upgrade; the first start waits for the configuration
}

case ${1:-} in
-*) fail "usage: sudo deploy/install.sh [WHEEL]" ;;
'') what=$checkout ;;
*.whl) what=$1 ;;
*) fail "$1 is no wheel" ;;
esac
[ -e "$what" ] || fail "$what: no such file"

check_machine
if [ -z "$root" ]; then
    install_packages
    add_user
fi
make_environment
install_program "$what"
install_files
[ -n "$root" ] || start_service

cat <<END
Installed. Next:
  sudo -u fer-edge fer-edge doctor                what is missing
  sudo nano $config             camera and broker
  sudo systemctl start fer-edge && journalctl -fu fer-edge
The broker's password goes into /etc/credstore/fer-edge.mqtt-password (owner root, mode 0600).
END
