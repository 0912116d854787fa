# A timeout of a part of the script. Only /proc is needed for it, and neither timeout(1) nor job control.

# limit SECONDS PART [finish]: if the part that follows runs longer, all its processes get TERM, and KILL 5 seconds later: those below this shell, and those
# that were started with $limit_mark in their environment, whoever their parent is by then. With `finish` none is ended, and only limit_end tells.
limit() {
  limit_seconds=$1 limit_number=$2 limit_finish=${3-}
  read -r limit_stat </proc/self/stat
  limit_of=${limit_stat%% *}
  set -- ${limit_stat##*) }
  limit_mark=$limit_of.${20}.$limit_number.
  # a shell that was just forked loses a signal that its parent has a trap for
  trap - TERM
  # INT would be ignored by the part in the background, so it is the clock that runs there
  (limit_clock) >/dev/null 2>&1 </dev/null 9>&- &
  limit=$!
  trap 'exit 143' TERM
}

# limit_end: the part has ended. If it was too late, `result` is 1, and the reason is told.
limit_end() {
  kill "$limit" 2>/dev/null || :
  limit_status=0
  wait "$limit" 2>/dev/null || limit_status=$?
  if [ "$limit_status" != 124 ]; then return; fi
  result=1
  printf '\n%s reason it ran longer than its timeout of %s s\n' "$token" "$limit_seconds"
}

limit_clock() {
  limit_before=${!-}
  trap '[ "${!-}" = "$limit_before" ] || { kill -KILL "$!"; wait "$!"; }; exit 0' HUP TERM
  read -r limit_stat </proc/self/stat
  limit_own=${limit_stat%% *}
  sleep "$limit_seconds" &
  wait "$!"
  trap '' HUP TERM
  # its number may be that of another process by now
  read -r limit_stat </proc/self/stat
  set -- ${limit_stat##*) }
  if [ "$2" != "$limit_of" ]; then exit 0; fi
  limit_left=' '
  limit_look
  if [ "$limit_left" = ' ' ]; then exit 0; fi
  if [ -n "$limit_finish" ]; then exit 124; fi
  limit_signal TERM
  for limit_try in 1 2 3 4 5; do
    sleep 1
    limit_look
    if [ "$limit_left" = ' ' ]; then exit 124; fi
  done
  for limit_try in 1 2 3 4 5; do
    limit_signal KILL
    sleep 1
    limit_look
    if [ "$limit_left" = ' ' ]; then exit 124; fi
  done
  exit 124
}

# limit_look: limit_left has the processes that still run, each as PID.START
limit_look() {
  limit_marked=' ' limit_known=$limit_left limit_left=' ' limit_pids=' ' limit_more=1
  for limit_file in $(grep -ls "PALLET_LIMIT=$limit_mark" /proc/[0-9]*/environ); do
    limit_file=${limit_file#/proc/} limit_marked="$limit_marked${limit_file%/environ} "
  done
  # a child may be listed before its parent
  while [ -n "$limit_more" ]; do
    limit_more=
    for limit_file in /proc/[0-9]*/stat; do
      read -r limit_stat <"$limit_file" || continue
      limit_pid=${limit_stat%% *}
      set -- ${limit_stat##*) }
      case $1 in Z | X) continue ;; esac
      if [ "$limit_pid" = "$limit_own" ]; then continue; fi
      case $limit_pids in *" $limit_pid "*) continue ;; esac
      case " $limit_of $limit_pids" in
        *" $2 "*) ;;
        *)
          case $limit_marked$limit_known in
            *" $limit_pid "* | *" $limit_pid.${20} "*) ;;
            *) continue ;;
          esac
          ;;
      esac
      limit_pids="$limit_pids$limit_pid " limit_left="$limit_left$limit_pid.${20} " limit_more=1
    done
  done
}

limit_signal() {
  for limit_pid in $limit_left; do kill -s "$1" "${limit_pid%.*}" || :; done
}
