# Users and groups. Directories (LDAP and the like) answer through getent; a small system has only the files.

users() {
  entries passwd "$@"
  answer passwd "$entries"
  for name do
    case $nl$entries in
      *"$nl$name:"*) if ids=$(id -- "$name" 2>/dev/null); then answer ids "$name" "$ids"; fi ;;
    esac
  done
  # only whether a password is locked leaves the node
  locks=''
  if [ -r /etc/shadow ]; then
    while IFS=: read -r name password value; do
      case $password in
        '!'*) password='!' ;;
        *) password='' ;;
      esac
      for wanted do
        if [ "$name" = "$wanted" ]; then locks=$locks$name:$password$nl; fi
      done
    done </etc/shadow
  fi
  answer shadow "$locks"
}

groups() {
  entries group "$@"
  answer group "$entries"
}

# entries DATABASE NAME...: sets entries to the lines of those that there are
entries() {
  database=$1 entries=''
  shift
  if command -v getent >/dev/null 2>&1; then
    entries=$(getent "$database" "$@" 2>/dev/null)
    [ $# -gt 1 ] || return
    # not every getent takes several names
    for name do
      case $nl$entries in
        *"$nl$name:"*) ;;
        *) entries=$entries$nl$(getent "$database" "$name" 2>/dev/null) ;;
      esac
    done
  else
    while IFS= read -r line; do
      for name do
        case $line in "$name":*) entries=$entries$line$nl ;; esac
      done
    done <"/etc/$database"
  fi
}
