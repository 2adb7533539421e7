#!/bin/sh
# Removes what install.sh has put there. Configuration, passwords, data and user stay, unless:
#
#   sudo deploy/uninstall.sh --purge
#
# DESTDIR as for install.sh. Debian packages stay: something else may use them by now.
set -eu

root=${DESTDIR:-}
purge=

case ${1:-} in
'') ;;
--purge) purge=yes ;;
*)
    echo "uninstall.sh: usage: sudo deploy/uninstall.sh [--purge]" >&2
    exit 1
    ;;
esac

if [ -z "$root" ] && [ "$(id -u)" -ne 0 ]; then
    echo "uninstall.sh: must be root: sudo $0 $*" >&2
    exit 1
fi

booted=
if [ -z "$root" ] && [ -d /run/systemd/system ]; then
    booted=yes
fi

if [ -n "$booted" ]; then
    systemctl --quiet disable --now fer-edge 2>/dev/null || :
    systemctl --quiet stop 'fer-edge@*' 2>/dev/null || :
fi
rm -f "$root/etc/systemd/system/fer-edge.service" "$root/etc/systemd/system/fer-edge@.service" \
    "$root/etc/systemd/system/multi-user.target.wants/fer-edge@"*.service
rm -rf "$root/opt/fer-edge"
if [ "$(readlink "$root/usr/local/bin/fer-edge")" = /opt/fer-edge/venv/bin/fer-edge ]; then
    rm "$root/usr/local/bin/fer-edge"
fi
if [ -n "$purge" ]; then
    rm -rf "$root/etc/systemd/system/fer-edge"*.service.d "$root/etc/fer-edge" "$root/var/lib/fer-edge"
    rm -f "$root/etc/credstore/fer-edge.mqtt-password" "$root/etc/credstore/fer-edge.source-password" \
        "$root/etc/credstore/fer-edge-"*-password
    if [ -z "$root" ] && id -u fer-edge >/dev/null 2>&1; then
        userdel fer-edge
    fi
fi
if [ -n "$booted" ]; then
    systemctl daemon-reload
fi
