# ensure_unpacked PATH RECORD OWNER GROUP MODE KIND STRIP FILE...: a directory with what is in an archive, or with these FILEs of it. KIND is tar or
# zip; so many leading parts of each name are left off. The archive is $archive, or else what the function `content` prints, or writes to the path
# that it is given. It is unpacked unless the directory's own record holds RECORD.
ensure_unpacked() {
  ensure_directory "$1" "$3" "$4" "$5"
  unpacked=
  if [ -r "$1/.pallet.directory" ]; then read -r unpacked <"$1/.pallet.directory" || :; fi
  if [ "$unpacked" = "$2" ]; then return; fi
  found_attributes "$1"
  wanted_owner=$owner wanted_group=$group wanted_mode=$mode
  (
    into=$1 kind=$6 strip=$7
    shift 7
    temporary=$into/.pallet.${token:-$$}
    trap 'rm -f -- "$temporary"' EXIT
    trap 'exit 1' HUP INT TERM
    if [ -z "$archive" ]; then
      set -C
      : >"$temporary"
      set +C
      content "$temporary" >"$temporary"
      archive=$temporary
    fi
    unpack "$@" || fail "cannot unpack the archive into $into"
  )
  # an archive can bring along what the directory itself is
  ensure_attributes "$1" "$wanted_owner" "$wanted_group" "$wanted_mode"
  printf '%s\n' "$2" >"$1/.pallet.directory"
  changed
}

# unpack FILE...: unpacks $archive, of this $kind, into the directory $into, with $strip leading parts of the names left off
unpack() {
  if [ "$kind" = zip ]; then
    if command -v unzip >/dev/null 2>&1; then
      unzip -oq "$archive" "$@" -d "$into" >&2
    elif command -v bsdtar >/dev/null 2>&1; then
      bsdtar -xof "$archive" -C "$into" "$@" >&2
    else
      fail 'there is neither unzip nor bsdtar; install one with package("unzip") before'
    fi
    return
  fi
  tar=tar
  if ! command -v tar >/dev/null 2>&1; then tar=bsdtar; fi
  if ! command -v "$tar" >/dev/null 2>&1; then fail 'there is no tar; install it with package("tar") before'; fi
  if [ "$strip" != 0 ]; then set -- "--strip-components=$strip" "$@"; fi
  compression=
  # that of busybox goes by the name
  case $("$tar" --version 2>&1) in
    *[Bb]usy[Bb]ox*)
      case $(od -An -tx1 -N4 "$archive" | tr -d ' ') in
        1f8b*) compression=z ;;
        425a68*) compression=j ;;
        fd377a58) compression=J ;;
        28b52ffd) fail 'the tar of busybox knows nothing of zstd; install another with package("tar") before' ;;
      esac
      ;;
  esac
  # it takes a backslash in the name of a directory for more than that
  cd -- "$into" || return
  "$tar" "-xo${compression}f" "$archive" "$@" >&2
}

# ensure_owners PATH OWNER GROUP: a directory and all that is in it is theirs; an empty word leaves that one as it is
ensure_owners() {
  path=$1
  case ${2:+owner}${3:+group} in
    ownergroup) set -- "$2:$3" '(' ! -user "$2" -o ! -group "$3" ')' ;;
    owner) set -- "$2" ! -user "$2" ;;
    group) set -- ":$3" ! -group "$3" ;;
    *) return ;;
  esac
  own=$1
  shift
  others=$(find "$path" "$@" -print -quit)
  if [ -n "$others" ]; then
    find "$path" "$@" -exec chown -h -- "$own" {} +
    changed
  fi
}
