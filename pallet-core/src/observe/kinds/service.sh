# Whether services run and start with the node, in the words of whatever runs them.

# services NAME...: a plain process is found by the file that was written when it was started
services() {
  if [ "$services" = systemd ]; then
    show_units "$@"
    read -r uptime rest </proc/uptime
    answer units "$units" "${uptime%%.*}"
  fi
  if [ "$services" = runit ]; then runit_directory; fi
  for name do
    if [ "$services" = runit ] && [ -d "/etc/sv/$name" ]; then
      answer service "$name" "$(runit_status "$name")" "$(runit_enabled "$name")"
      continue
    fi
    # a unit that stands for an init script does not tell whether that is enabled
    if [ -x "/etc/init.d/$name" ]; then
      case $services in
        systemd) answer links "$name" "$(rc_links "$name")" ;;
        openrc) answer service "$name" "$(init_status rc-service "$name" status)" "$(rc_links "$name")" ;;
        *) answer service "$name" "$(init_status "/etc/init.d/$name" status)" "$(rc_links "$name")" ;;
      esac
    fi
    process_pid "$name"
    if [ -n "$pid" ]; then answer process "$name" "$pid"; fi
  done
}

# show_units NAME...: sets units to what systemd says of those that there are
show_units() {
  for name do
    shift
    unit_of "$name"
    if unit_is_there "$unit" || [ -e "/etc/init.d/$name" ]; then set -- "$@" "$unit"; fi
  done
  units=''
  if [ $# -gt 0 ]; then
    units=$(systemctl show --property=Names,LoadState,ActiveState,UnitFileState,NRestarts,ActiveEnterTimestampMonotonic -- "$@" 2>/dev/null)
  fi
}

# unit_is_there UNIT: it has a file or has run, or that cannot be seen: asking systemd costs more than all the rest
unit_is_there() {
  # these may have no file
  case $1 in *@* | *.device | *.mount | *.swap | *.slice | *.scope) return 0 ;; esac
  if [ ! -d /run/systemd/units ] || [ -L "/run/systemd/units/invocation:$1" ]; then return 0; fi
  for place in /etc/systemd/system /run/systemd/system /usr/local/lib/systemd/system /usr/lib/systemd/system /lib/systemd/system \
    /run/systemd/transient /run/systemd/generator /run/systemd/generator.early /run/systemd/generator.late \
    /etc/systemd/system.control /run/systemd/system.control /etc/systemd/system.attached /run/systemd/system.attached; do
    if [ -e "$place/$1" ] || [ -L "$place/$1" ]; then return 0; fi
  done
  return 1
}
