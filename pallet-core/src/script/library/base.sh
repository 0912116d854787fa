# Functions for the scripts of changes. Each says `changed` if it changed anything; a failing command ends the script (set -e).
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
# the session may ask for a locale that is not there; and what commands say is read
LC_ALL=C
export PATH LC_ALL
umask 022
newline='
'
uid=${uid:-$(id -u)}

changed() { change=1; }

# drifted: something was changed by hand since Pallet wrote it, and is kept
drifted() { drift=1; }

fail() { fail_with 1 "$@"; }

# fail_with CODE MESSAGE: fail, with this exit code. Where frames are read, the message is the reason that is told.
fail_with() {
  status=$1
  shift
  if [ -n "${frames-}" ]; then printf '\n%s reason %s\n' "$token" "$*" >&2; else printf '%s\n' "$*" >&2; fi
  exit "$status"
}

# on_exit COMMAND: it runs when this shell ends, also by a signal
on_exit() {
  trap "$1" EXIT
  trap 'exit 129' HUP
  trap 'exit 143' TERM
  trap 'exit 130' INT
}

# will_make PATH: a temporary entry is going to be made there. It is written down before, so that the next run removes it if this one is killed:
# `clean_leftovers`.
will_make() {
  case ${temporaries:-$newline}$1 in *"$newline"*) return ;; esac
  printf '%s\n' "$1" >>"$temporaries" 2>/dev/null || :
}

# quietly COMMAND...: its output is shown only if it fails, and not even then while `unsaid` is not empty. It goes to a file, since a daemon that the
# command leaves behind would hold a pipe open; where `logs` is a directory, the file stays there for whoever made that to remove.
quietly() {
  if [ -n "${logs-}" ]; then
    calls=$((${calls:-0} + 1))
    log=$logs/.log.$part.$calls
    umask 077
    : >"$log"
    umask 022
  else
    log=$(mktemp)
  fi
  status=0
  "$@" >"$log" 2>&1 </dev/null || status=$?
  [ "$status" = 0 ] || [ -n "${unsaid-}" ] || tail -n 40 -- "$log" >&2
  [ -n "${logs-}" ] || rm -f -- "$log"
  return "$status"
}
