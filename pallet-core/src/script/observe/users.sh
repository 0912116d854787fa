# Users and groups. Directories (LDAP and the like) answer through getent; a small system has only the files.

users() {
  answer passwd "$(entries passwd "$@")"
  for name do
    if ids=$(id -- "$name" 2>/dev/null); then answer ids "$name" "$ids"; fi
  done
  # only whether a password is locked leaves the node
  if [ -r /etc/shadow ]; then answer shadow "$(sed -n 's/^\([^:]*\):\(!\{0,1\}\).*/\1:\2/p' /etc/shadow)"; fi
}

groups() { answer group "$(entries group "$@")"; }

entries() {
  database=$1
  shift
  if command -v getent >/dev/null 2>&1; then
    for name do getent "$database" "$name"; done 2>/dev/null
  else
    while IFS= read -r line; do
      for name do
        case $line in "$name":*) printf '%s\n' "$line" ;; esac
      done
    done <"/etc/$database"
  fi
}
