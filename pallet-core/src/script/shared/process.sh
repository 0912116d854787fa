# process_pid NAME: sets pid to the process that was started as the service NAME, or to nothing.
# Its start time stands beside its number in the file, since numbers come round again.
process_pid() {
  pid='' started=''
  if [ -r "/run/pallet/$1.pid" ]; then
    read -r pid started <"/run/pallet/$1.pid" || :
    process_started "$pid"
    if [ -z "$found" ] || [ "$found" != "$started" ]; then pid=''; fi
  fi
}

# process_started PID: sets found to when the process was started, in clock ticks since boot, or to nothing
process_started() {
  found='' line=''
  if [ -n "$1" ] && [ -r "/proc/$1/stat" ]; then
    { read -r line <"/proc/$1/stat"; } 2>/dev/null || :
    # the name before it may hold anything, even blanks and brackets
    line=${line##*) }
    set -f
    set -- $line
    set +f
    if [ "$1" != Z ]; then found=${20-}; fi
  fi
}
