# shellcheck shell=sh disable=SC2034,SC2154
# Read by install.sh: from the version that runs to the new one, and back if that does not run well.

point_to() {
    rm -f "$home/.venv"
    ln -s "$1" "$home/.venv"
    if [ -d "$venv" ] && [ ! -L "$venv" ]; then # as versions before 0.2 were installed
        mv "$venv" "$home/versions/before"
    fi
    mv -T "$home/.venv" "$venv"
}

# What must run afterwards: what runs now, or on the first installation the service.
list_services() {
    services=
    booted || return 0
    services=$(systemctl list-units --plain --no-legend --state=active,activating,failed \
        'fer-edge.service' 'fer-edge@*.service' | awk '{ print $1 }')
    if [ ! -e "$units/fer-edge.service" ] || systemctl --quiet is-enabled fer-edge 2>/dev/null; then
        services=$(printf '%s\n' fer-edge.service "$services" | sort -u)
    fi
}

install_files() {
    mkdir -p "$units" "$(dirname "$config")"
    for file in "$checkout"/systemd/*.service; do
        install -m 0644 "$file" "$units"
    done
    if ! cmp -s "$work/etc/config.toml" "$config"; then
        [ -e "$config" ] || say "configuration: $config"
        if [ -e "$config" ]; then cp -p "$config" "$config.new"; fi
        cat "$work/etc/config.toml" >"$config.new"
        mv "$config.new" "$config"
    fi
    # So that `fer-edge doctor` is found; another program of that name stays.
    if [ -L "$link" ] || [ ! -e "$link" ]; then
        mkdir -p "$root/usr/local/bin"
        ln -sf /opt/fer-edge/venv/bin/fer-edge "$link"
    fi
}

# watch UNIT: started, READY, and neither ended nor restarted for a minute.
watch() {
    systemctl reset-failed "$1" 2>/dev/null || :
    systemctl restart "$1" || return 1
    first=$(systemctl show --property MainPID --value "$1")
    say "$1 is ready; watching it for ${FER_EDGE_WATCH_S:-60} s"
    watched=0
    while [ "$watched" -lt "${FER_EDGE_WATCH_S:-60}" ]; do
        sleep 1
        watched=$((watched + 1))
        systemctl --quiet is-active "$1" || return 1
        [ "$(systemctl show --property MainPID --value "$1")" = "$first" ] || return 1
    done
}

start_services() {
    [ -n "$services" ] || return 0
    systemctl daemon-reload
    for service in $services; do
        if ! watch "$service"; then
            journalctl --quiet --no-pager --lines 5 --output cat --unit "$service" >&2 || :
            return 1
        fi
    done
    if [ -z "$old" ]; then systemctl --quiet enable fer-edge; fi
}

keep_for_return() {
    rm -rf "$home/return"
    mkdir "$home/return"
    for file in "$units"/fer-edge.service "$units"/fer-edge@.service "$config"; do
        if [ -e "$file" ]; then cp -p "$file" "$home/return"; fi
    done
}

# To where keep_for_return was called. Moves files only: that works on a full disk too.
go_back() {
    changing=
    rm -f "$units/fer-edge.service" "$units/fer-edge@.service" "$config"
    for file in "$home"/return/*.service; do
        if [ -e "$file" ]; then mv "$file" "$units"; fi
    done
    if [ -e "$home/return/config.toml" ]; then mv "$home/return/config.toml" "$config"; fi
    rm -rf "$home/return"
    if [ -n "$old" ]; then point_to "$old"; else rm -f "$venv"; fi
    if booted; then
        systemctl daemon-reload
        for service in $services; do systemctl restart "$service" || :; done
    fi
}

change_over() {
    old=$(readlink "$venv" || :)
    if [ -z "$old" ] && [ -d "$venv" ]; then old=versions/before; fi
    list_services
    keep_for_return
    changing=yes
    point_to "versions/$(basename "$new")"
    install_files
    if start_services; then
        :
    elif [ -n "$old" ] && [ "$old" != "versions/$(basename "$new")" ]; then
        fail "the new version did not run well, see above; the one before goes on"
    else
        kept=yes changing=
        fail "installed, but the service does not run: see above, and journalctl -u fer-edge"
    fi
    kept=yes changing=
    rm -rf "$home/return"
    for version in "$home"/versions/*; do
        [ "$version" = "$new" ] || [ "$version" = "$work" ] || rm -rf "$version"
    done
}

# Nothing to do where this very version, unit and configuration are there.
is_current() {
    [ "$(readlink "$venv")" = "versions/$(basename "$new")" ] || return 1
    cmp -s "$work/etc/config.toml" "$config" || return 1
    for file in "$checkout"/systemd/*.service; do
        cmp -s "$file" "$units/$(basename "$file")" || return 1
    done
    ! booted || ! systemctl --quiet is-enabled fer-edge 2>/dev/null || systemctl --quiet is-active fer-edge
}
