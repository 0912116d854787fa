# Whether services run and start with the node, in the words of whatever runs them.

# services NAME...: a plain process is found by the file that was written when it was started
services() {
  if [ "$services" = systemd ]; then
    show_units "$@"
    answer units "$units"
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

# show_units NAME...: sets units to what systemd says of them
show_units() {
  for name do
    shift
    case $name in
      *.service | *.socket | *.timer | *.path | *.mount | *.target) ;;
      *) name=$name.service ;;
    esac
    set -- "$@" "$name"
  done
  units=$(systemctl show --property=Names,LoadState,ActiveState,UnitFileState -- "$@" 2>/dev/null)
}
