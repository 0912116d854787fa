# Which files hold secrets: what was written with one is neither shown nor kept when something else takes its place. A line of the record is the digest
# of what was written, if that was known, and the path; `!` in the place of the digest: it holds none any more.

secrets=/var/lib/pallet/secrets

# mark_secret PATH [DIGEST]: what is going to stand there holds a secret
mark_secret() {
  if [ ! -w /var/lib/pallet ] || secret_is_marked "$1" "${2:--}"; then return; fi
  case $1 in *"$newline"*) return ;; esac
  append_secret "${2:--}" "$1"
}

# unmark_secret PATH: what stands there, or below, was replaced as a whole by something without secrets
unmark_secret() {
  if [ ! -s "$secrets" ] || [ ! -w /var/lib/pallet ]; then return; fi
  named=$(LC_ALL=C grep -F -e "  $1" "$secrets") || return 0
  while IFS= read -r entry; do
    entry=${entry#*  }
    case $entry in
      "$1" | "$1"/*) if secret_is_marked "$entry" ''; then append_secret ! "$entry"; fi ;;
    esac
  done <<END
$named
END
}

# holds_secret PATH NAME: PATH stands in the record, or what can be read as NAME has the content of something that did
holds_secret() {
  if [ ! -s "$secrets" ]; then return 1; fi
  if secret_is_marked "$1" ''; then return 0; fi
  digest_of "$2"
  LC_ALL=C grep -q -F -e "$digest  " "$secrets"
}

# secret_is_marked PATH DIGEST: the last line of the path says so, and where a DIGEST is given, with that
secret_is_marked() {
  if [ ! -s "$secrets" ]; then return 1; fi
  marked=$(LC_ALL=C grep -F -e "  $1" "$secrets") || return 1
  mark=!
  while IFS= read -r line; do
    if [ "${line#*  }" = "$1" ]; then mark=${line%%  *}; fi
  done <<END
$marked
END
  [ "$mark" != ! ] && { [ -z "$2" ] || [ "$mark" = "$2" ]; }
}

append_secret() {
  if [ ! -e "$secrets" ]; then (umask 077 && : >>"$secrets"); fi
  printf '%s  %s\n' "$1" "$2" >>"$secrets"
}
