# ensure_service MANAGER NAME ACTION ENABLED COMMAND [SECONDS]
# ACTION: start, stop, restart, reload, or enable and disable, which leave it running or not; ENABLED: yes, no or nothing; COMMAND: what to start if nothing on the node knows the service; SECONDS: how long it must stay up then
ensure_service() {
  manager=$1 name=$2 command=$5 seconds=${6-}
  if [ "$manager" = systemd ]; then systemd_look; fi
  service_kind
  if [ "$kind" = none ]; then
    case $3 in stop | disable) return 0 ;; esac
    fail "nothing on this node knows the service $name"
  fi
  case $4$(service_enabled) in
    yesno)
      if [ "$kind" = systemd ] && [ "$3" = start ] && ! service_runs; then
        # both in one call, which takes half the time
        service_call enable --now
        service_stays_up
        changed
        return
      fi
      service_enable
      changed
      ;;
    noyes)
      service_disable
      changed
      ;;
  esac
  case $3 in
    enable | disable) ;;
    start)
      if ! service_runs; then
        service_call start
        service_stays_up
        changed
      elif [ "$kind" = systemd ]; then
        # it may be one that is started again and again
        case $unit_state in *NRestarts=[1-9]*) service_stays_up ;; esac
      fi
      ;;
    stop)
      if service_runs; then
        service_call stop
        changed
      fi
      ;;
    reload)
      if service_runs; then service_call reload; else service_call start; fi
      service_stays_up
      changed
      ;;
    *)
      service_call "$3"
      service_stays_up
      changed
      ;;
  esac
}

# sets kind to what knows the service: systemd, openrc, runit, init, process or none
service_kind() {
  process_pid "$name"
  if [ "$manager" = runit ] && [ -d "/etc/sv/$name" ]; then
    kind=runit
    runit_directory
    return
  fi
  if [ "$manager" = systemd ]; then
    case $unit_state in *LoadState=not-found*) ;; *) kind=systemd && return ;; esac
  elif [ -x "/etc/init.d/$name" ]; then
    if [ "$manager" = openrc ]; then kind=openrc; else kind=init; fi
    return
  fi
  if [ -n "$pid$command" ]; then kind=process; else kind=none; fi
}

# unit files that are new or changed are read again first
systemd_look() {
  unit_of "$name"
  systemd_state
  case $unit_state in
    *LoadState=not-found* | *NeedDaemonReload=yes*)
      systemctl daemon-reload
      systemd_state
      ;;
  esac
}

systemd_state() {
  unit_state=$(systemctl show --property=LoadState,ActiveState,SubState,UnitFileState,NeedDaemonReload,NRestarts,Result -- "$unit")
}

service_runs() {
  case $kind in
    systemd) case $unit_state in *ActiveState=active* | *ActiveState=reloading* | *ActiveState=refreshing*) ;; *) return 1 ;; esac ;;
    openrc) rc-service "$name" status >/dev/null 2>&1 ;;
    runit) [ "$(runit_status "$name")" = yes ] ;;
    init) "/etc/init.d/$name" status >/dev/null 2>&1 ;;
    process) [ -n "$pid" ] ;;
  esac
}

# prints yes, no, or unknown where that has no meaning
service_enabled() {
  case $kind in
    systemd)
      case $unit_state in
        *UnitFileState=enabled* | *UnitFileState=alias*) echo yes ;;
        *UnitFileState=generated*) rc_links "$name" ;;
        *UnitFileState=static* | *UnitFileState=indirect* | *UnitFileState=transient*) echo unknown ;;
        *) echo no ;;
      esac
      ;;
    openrc | init) rc_links "$name" ;;
    runit) runit_enabled "$name" ;;
    *) echo unknown ;;
  esac
}

service_enable() {
  case $kind in
    systemd) quietly systemctl enable -- "$unit" ;;
    openrc) quietly rc-update add "$name" default ;;
    runit)
      rm -f -- "/etc/sv/$name/down"
      runit_link
      ;;
    init)
      if command -v update-rc.d >/dev/null 2>&1; then
        quietly update-rc.d "$name" defaults
        quietly update-rc.d "$name" enable
      elif command -v chkconfig >/dev/null 2>&1; then
        quietly chkconfig --add "$name"
        quietly chkconfig "$name" on
      else
        fail "neither update-rc.d nor chkconfig is there to enable $name"
      fi
      ;;
  esac
}

service_disable() {
  case $kind in
    systemd) quietly systemctl disable -- "$unit" ;;
    openrc) quietly rc-update -a del "$name" ;;
    runit) : >"/etc/sv/$name/down" ;;
    init)
      if command -v update-rc.d >/dev/null 2>&1; then
        quietly update-rc.d "$name" disable
      elif command -v chkconfig >/dev/null 2>&1; then
        quietly chkconfig "$name" off
      else
        fail "neither update-rc.d nor chkconfig is there to disable $name"
      fi
      ;;
  esac
}

# service_call VERB: start, stop, restart or reload
service_call() {
  case $kind in
    systemd)
      if [ "$1" = reload ]; then set -- reload-or-restart; fi
      # a start would wait as long as systemd does before it tries again
      case $1$unit_state in start*SubState=auto-restart*) set -- restart ;; esac
      # what failed too often just now is given one more try
      case $unit_state in *Result=start-limit-hit*) quietly systemctl reset-failed -- "$unit" ;; esac
      if ! quietly systemctl "$@" -- "$unit"; then
        systemctl status --no-pager --lines=20 -- "$unit" >&2 || :
        return 1
      fi
      ;;
    openrc) quietly rc-service "$name" "$1" ;;
    runit)
      if [ "$1" != stop ] && [ ! -e "$directory/$name" ]; then
        # it runs, and does not start with the node
        : >"/etc/sv/$name/down"
        runit_link
      fi
      quietly sv "$1" "$directory/$name"
      ;;
    init)
      if [ "$1" = reload ]; then
        quietly init_script reload 2>/dev/null || quietly init_script restart
      else
        quietly init_script "$1"
      fi
      ;;
    process)
      case $1 in
        start) process_start ;;
        stop) process_stop ;;
        reload) kill -HUP "$pid" ;;
        restart)
          process_stop
          process_start
          ;;
      esac
      ;;
  esac
}

# service_stays_up: what was started just now runs, and still does after $seconds: two, where they are not given and the service itself does
# not tell when it is ready
service_stays_up() {
  case $kind in
    systemd) unit_stays_up ;;
    init)
      # a script that does not know `status` cannot be asked
      if grep -Eq '(^|[^a-z])status([^a-z]|$)' "/etc/init.d/$name"; then stays_up_for "${seconds:-2}"; fi
      ;;
    openrc | runit | process) stays_up_for "${seconds:-2}" ;;
  esac
}

# stays_up_for SECONDS
stays_up_for() {
  first=$(service_process)
  waited=0
  while :; do
    process_pid "$name"
    # some scripts return before their daemon has written down its number
    case $kind-$waited in
      init-0 | openrc-0) up=yes ;;
      *) if service_runs && [ "$(service_process)" = "$first" ]; then up=yes; else up=''; fi ;;
    esac
    if [ -z "$up" ]; then
      case $kind in
        process) tail -n 20 "/var/log/pallet/$name.log" >&2 ;;
        runit) sv status "$directory/$name" >&2 || : ;;
        openrc) rc-service "$name" status >&2 || : ;;
        init) "/etc/init.d/$name" status >&2 || : ;;
      esac
      fail "the service $name was started, and does not stay up: it ended within $((waited + 1)) seconds"
    fi
    [ "$waited" -lt "$1" ] || return 0
    waited=$((waited + 1))
    sleep 1
  done
}

# prints what tells one process of the service from the next, where that can be asked
service_process() {
  if [ "$kind" = runit ]; then sv status "$directory/$name" 2>/dev/null | sed -n 's/^run: [^(]*(pid \([0-9]*\)).*/\1/p'; fi
}

# systemd tells of most kinds when they are ready; of a `simple` service it knows only that there is a process
unit_stays_up() {
  unit_now
  case $now in *Type=oneshot*Result=success*) return ;; esac
  first=${now%ActiveState=*} waited=0
  case $unit-$now in
    *.service-*Type=simple* | *.service-*Type=exec* | *.service-*Type=idle*) seconds=${seconds:-2} ;;
    *) seconds=${seconds:-0} ;;
  esac
  while :; do
    case $now in
      *ActiveState=active* | *ActiveState=reloading* | *ActiveState=refreshing*) ;;
      *) unit_failed ;;
    esac
    # it was started again: what tells one run from the next has changed
    [ "${now%ActiveState=*}" = "$first" ] || unit_failed
    [ "$waited" -lt "$seconds" ] || return 0
    waited=$((waited + 1))
    sleep 1
    unit_now
  done
}

unit_now() {
  now=$(systemctl show --property=Type,Result,ActiveState,NRestarts,InvocationID -- "$unit")
  # the order is systemd's own
  now=$(printf '%s\n' "$now" | sort -r)
}

unit_failed() {
  systemctl status --no-pager --lines=20 -- "$unit" >&2 || :
  state=${now#*ActiveState=} result=${now#*Result=}
  state=${state%%"$newline"*} result=${result%%"$newline"*}
  if [ "$state" = active ]; then state='started again and again'; fi
  fail "the service $name was started, and does not stay up: it is $state ($result)"
}

# runit takes a service up some seconds after its link is there
runit_link() {
  [ -n "$directory" ] || fail "there is no directory of runit's services: /var/service, /etc/service or /service"
  [ -e "$directory/$name" ] || ln -s "/etc/sv/$name" "$directory/$name"
  waited=0
  until sv status "$directory/$name" >/dev/null 2>&1; do
    [ "$waited" -lt 15 ] || fail "runit does not take up the service $name; is runsvdir running on $directory?"
    waited=$((waited + 1))
    sleep 1
  done
}

init_script() {
  if command -v service >/dev/null 2>&1; then service "$name" "$1"; else "/etc/init.d/$name" "$1"; fi
}

# a session of its own, so that the process outlives ours and all that it starts can be stopped with it
process_start() {
  [ -n "$command" ] || fail "no command is given to start $name with"
  mkdir -p /run/pallet /var/log/pallet
  if command -v setsid >/dev/null 2>&1; then
    setsid sh -c "$command" </dev/null >>"/var/log/pallet/$name.log" 2>&1 &
  else
    nohup sh -c "$command" </dev/null >>"/var/log/pallet/$name.log" 2>&1 &
  fi
  pid=$!
  sleep 0.3 2>/dev/null || sleep 1
  process_started "$pid"
  if [ -z "$found" ]; then
    tail -n 20 "/var/log/pallet/$name.log" >&2
    fail "$name ended at once; its command must stay in the foreground"
  fi
  printf '%s %s\n' "$pid" "$found" >"/run/pallet/$name.pid"
}

process_stop() {
  if [ -n "$pid" ]; then
    kill -s TERM -- "-$pid" 2>/dev/null || kill -TERM "$pid" 2>/dev/null || :
    waited=0
    while process_pid "$name" && [ -n "$pid" ]; do
      if [ "$waited" = 10 ]; then kill -s KILL -- "-$pid" 2>/dev/null || kill -KILL "$pid" 2>/dev/null || :; fi
      [ "$waited" -lt 12 ] || fail "$name does not stop"
      waited=$((waited + 1))
      sleep 1
    done
  fi
  rm -f -- "/run/pallet/$name.pid"
}
