# Functions for the scripts of changes. Each says `changed` if it changed anything; a failing command ends the script (set -e).
changed() { change=1; }

# ensure_directory PATH: a directory stands there, with its parents
ensure_directory() {
  [ -d "$1" ] && return
  mkdir -p -- "$1"
  changed
}

# ensure_attributes PATH OWNER GROUP MODE: an empty word leaves that one as it is; MODE has four octal digits
ensure_attributes() {
  found=$(stat -c '%U %G %a' -- "$1")
  mode=${found##* } owner=${found%% *} group=${found#* }
  group=${group% *}
  while [ ${#mode} -lt 4 ]; do mode=0$mode; done
  [ -z "$2" ] || [ "$2" = "$owner" ] || { chown -h -- "$2" "$1"; changed; }
  [ -z "$3" ] || [ "$3" = "$group" ] || { chgrp -h -- "$3" "$1"; changed; }
  # a change of owner clears setuid and setgid, so the mode comes last and is compared anew
  [ -z "$4" ] || [ "$4" = "$mode" ] || { chmod -- "$4" "$1"; changed; }
}

# ensure_absent PATH: nothing stands there
ensure_absent() {
  if [ -e "$1" ] || [ -L "$1" ]; then
    rm -rf -- "$1"
    changed
  fi
}
