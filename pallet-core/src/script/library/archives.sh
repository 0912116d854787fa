# unpacked_as NAME [NAME...]: what ensure_unpacked remembers next stands in the first of these files of /var/lib/pallet/unpacked. Those that begin with the
# same two words are forgotten, but for these: what they tell of was unpacked over.
unpacked_as() {
  unpacked_file=$1 unpacked_others=" $* "
}

# ensure_unpacked PATH RECORD OWNER GROUP MODE KIND STRIP FILE...: a directory with what is in an archive, or with these FILEs of it. KIND is tar or
# zip; so many leading parts of each name are left off. The archive is $archive, or else what the function `content` prints, or writes to the path
# that it is given. It is unpacked unless RECORD is remembered, and then too if $unpacked_anew is not empty. Where $unpacked_strictly is not empty, it may
# have nothing but files, directories, and links that stay in it; where $unpacked_creates is not, it must have that.
ensure_unpacked() {
  ensure_directory "$1" "$3" "$4" "$5"
  look_up "$1"
  unpacked='' unpacked_here=$1/.pallet.directory unpacked_old=''
  if [ "$uid" = 0 ] && [ -r "/var/lib/pallet/unpacked/$unpacked_file" ]; then
    read -r unpacked <"/var/lib/pallet/unpacked/$unpacked_file" || :
  elif [ -n "$trusted" ] && is_own_record "$unpacked_here"; then
    # of an older version of Pallet, or of one that is not root
    unpacked_old=1
    read -r unpacked <"$unpacked_here" || :
  fi
  # what was emptied meanwhile, or made anew, has nothing of it
  if [ "$unpacked" = "$2" ] && [ -z "$unpacked_anew" ] && [ -n "$(ls -A -- "$1")" ]; then
    if [ -n "$unpacked_old" ] && [ "$uid" = 0 ]; then remember_unpacked "$2"; fi
    return
  fi
  work_in "$1" tree
  (
    kind=$6 strip=$7 label=$1 own=$3${4:+:$4}
    shift 7
    if [ -z "$archive" ]; then
      (umask 077 && : >"$seven/archive")
      content "$seven/archive" >"$seven/archive"
      archive=$seven/archive
    fi
    mkdir -- "$seven/tree"
    into=$seven/tree
    unpack "$@" || fail "cannot unpack the archive into $label"
    require_own_files "$into"
    if [ -n "${unpacked_strictly-}" ]; then
      require_harmless "$into"
      if [ "$kind" = zip ]; then
        strip_names "$strip"
        require_harmless "$into"
      fi
      # here, and not where others may give a file of somebody else a name
      if [ -n "$own" ]; then chown -hR -- "$own" "$into"; fi
      find "$into" -type f '(' -perm -4000 -o -perm -2000 ')' -exec chmod ug-s {} +
    fi
    if [ -z "$(ls -A -- "$seven/tree")" ]; then
      fail "the archive has nothing for $label; look at strip_components and extract_files"
    fi
    if [ -n "${unpacked_creates-}" ] && is_missing "$into/$unpacked_creates"; then
      fail "the archive has no $unpacked_creates for $label; look at creates and strip_components"
    fi
    if [ "$uid" = 0 ]; then
      disown_links "$seven/tree"
      # what becomes root's does not make others root, whoever it was of
      find "$seven/tree" -type f '(' -perm -4000 -o -perm -2000 ')' -exec chmod ug-s {} +
    else
      chmod u+rwx -- "$seven/tree"
    fi
  )
  merge_tree "$1" "$seven/tree"
  if [ -n "${six-}" ] && is_own_record "$six/.pallet.directory"; then rm -f -- "$six/.pallet.directory"; fi
  leave
  remember_unpacked "$2"
  looked_up=''
  changed
}

# is_own_record PATH: a regular file stands there, of whoever runs this
is_own_record() { [ -f "$1" ] && [ ! -L "$1" ] && [ -O "$1" ]; }

# remember_unpacked RECORD
remember_unpacked() {
  if [ -n "$trusted" ] && is_own_record "$unpacked_here"; then rm -f -- "$unpacked_here"; fi
  if [ "$uid" != 0 ]; then
    (set -C && printf '%s\n' "$1" >"$unpacked_here")
    return
  fi
  (
    unpacked_in=/var/lib/pallet/unpacked
    if [ ! -d "$unpacked_in" ]; then mkdir -p -m 0700 -- "$unpacked_in"; fi
    umask 077
    for file in "$unpacked_in/${unpacked_file%.*}".*; do
      case $unpacked_others in *" ${file##*/} "*) ;; *) rm -f -- "$file" ;; esac
    done
    printf '%s\n' "$1" >"$unpacked_in/$unpacked_file"
  )
}

# is_missing PATH: nothing stands there, not even a link that leads nowhere
is_missing() { [ ! -e "$1" ] && [ ! -L "$1" ]; }

# require_own_files DIRECTORY: fails if a file of an archive has another name that is not in the archive: what is done to it would be done to that
require_own_files() {
  found=$(find "$1/." -type f -links +1 -exec stat -c '%h %d:%i' {} + | sort | uniq -c | while read -r here names rest; do
    if [ "$here" != "$names" ]; then echo "$rest"; fi
  done)
  if [ -n "$found" ]; then fail 'the archive has hard links to files that are not in it; get one without'; fi
}

# require_harmless DIRECTORY: fails if an archive has anything but files, directories, and links that stay in it
require_harmless() {
  found=$(find "$1/." ! -type f ! -type d ! -type l -print | head -n 1)
  if [ -n "$found" ]; then fail "the archive has ${found#"$1/./"}, which is neither a file, a directory nor a link; remote_directory takes it as it is"; fi
  found=$(links_out "$1" show | head -n 1)
  if [ -n "$found" ]; then fail "the archive has the link $found, which leads out of it; remote_directory takes it as it is"; fi
}

# strip_names NUMBER: what is in the directory $into loses so many leading parts of its name; what has no more parts is left off
strip_names() {
  level=$1
  while [ "$level" -gt 0 ]; do
    mkdir -- "$into.up"
    for above in "$into"/* "$into"/.[!.]* "$into"/..?*; do
      if [ -L "$above" ] || [ ! -d "$above" ]; then continue; fi
      for file in "$above"/* "$above"/.[!.]* "$above"/..?*; do
        if is_missing "$file"; then continue; fi
        if ! is_missing "$into.up/${file##*/}"; then fail "the archive has ${file##*/} twice without the leading parts of its name; strip less"; fi
        mv -- "$file" "$into.up/"
      done
    done
    rm -rf -- "$into"
    mv -- "$into.up" "$into"
    level=$((level - 1))
  done
}

# disown_links DIRECTORY: links of an archive that lead out of it are nobody's: root did not make them, and nothing follows them
disown_links() { links_out "$1" disown; }

# links_out DIRECTORY WHAT: prints the links of an archive that lead out of it, or makes them nobody's; WHAT is `show` or `disown`
links_out() {
  find "$1/." -type l -exec sh -c '
    top=$1 what=$2
    shift 2
    for link do
      to=$(readlink -n -- "$link" && printf x) to=${to%x} at=${link#"$top/./"}
      out=
      case $to in /*) out=1 ;; esac
      # only as far up as it stands deep
      while [ -z "$out" ]; do
        case $to in
          ../* | ..)
            case $at in */*) at=${at#*/} ;; *) out=1 ;; esac
            to=${to#..} to=${to#/}
            ;;
          */../* | */..) out=1 ;;
          *) break ;;
        esac
      done
      if [ -z "$out" ]; then continue; fi
      if [ "$what" = show ]; then printf "%s\n" "${link#"$top/./"}"; else chown -h 65534:65534 -- "$link" || exit; fi
    done' sh "$1" "$2" {} +
}

# merge_tree PATH FROM: merges into the directory that work_in was called for, after a look whether all of it can go there
merge_tree() {
  for merge_looks in 1 ''; do
    if [ -n "${six-}" ]; then (merge_here "$1" "$2" "$six"); else merge "$1" "$2"; fi
  done
}

# merge PATH FROM: what is in the directory FROM goes to the directory PATH, and FROM is left without it. Directories that are there stay, with their
# owner and mode; a link to a directory is one only if root made it.
merge() {
  (
    look_up "$1"
    if [ -n "$missing" ]; then fail "there is no directory $1"; fi
    six=''
    if [ -n "$trusted" ]; then
      merge_here "$1" "$2" "$1"
    else
      read -r way_pid way_line </proc/self/stat
      exec 8<"$physical/."
      require_handle "/proc/$way_pid/fd/8" "$physical"
      merge_here "$1" "$2" "/proc/$way_pid/fd/8"
    fi
  )
}

# merge_here PATH FROM NAME: the same, where PATH is the directory NAME
merge_here() {
  merge_path=$1 merge_from=$2 merge_into=$3
  set --
  for file in "$merge_from"/* "$merge_from"/.[!.]* "$merge_from"/..?*; do
    if [ ! -e "$file" ] && [ ! -L "$file" ]; then continue; fi
    name=${file##*/}
    if [ -d "$file" ] && [ ! -L "$file" ]; then
      if [ -d "$merge_into/$name" ]; then
        (merge "$merge_path/$name" "$file")
        continue
      fi
      if [ -e "$merge_into/$name" ] || [ -L "$merge_into/$name" ]; then fail "$merge_path/$name is not a directory, as it is in the archive"; fi
    elif [ -d "$merge_into/$name" ] && [ ! -L "$merge_into/$name" ]; then
      fail "$merge_path/$name is a directory, and not one in the archive"
    fi
    if [ -n "$merge_looks" ]; then continue; fi
    set -- "$@" "$file"
    if [ $# -ge 200 ]; then
      mv -f -- "$@" "$merge_into/"
      set --
    fi
  done
  if [ $# -gt 0 ]; then mv -f -- "$@" "$merge_into/"; fi
}

# unpack FILE...: unpacks $archive, of this $kind, into the directory $into, with $strip leading parts of the names left off
unpack() {
  if [ "$kind" = zip ]; then
    status=0
    if command -v unzip >/dev/null 2>&1; then
      unzip -oq "$archive" "$@" -d "$into" >&2 || status=$?
      # 1 is a warning, and all is there; that of busybox warns of nothing
      if [ "$status" = 1 ]; then case $(unzip --help 2>&1) in *BusyBox*) ;; *) status=0 ;; esac fi
      return "$status"
    elif command -v bsdtar >/dev/null 2>&1; then
      tar=bsdtar
      without_attributes
      # shellcheck disable=SC2086
      bsdtar $without -xof "$archive" -C "$into" "$@" >&2
    else
      fail 'there is neither unzip nor bsdtar; install one with package("unzip") before'
    fi
    return
  fi
  tar=tar
  if ! command -v tar >/dev/null 2>&1; then tar=bsdtar; fi
  if ! command -v "$tar" >/dev/null 2>&1; then fail 'there is no tar; install it with package("tar") before'; fi
  without_attributes
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
  # shellcheck disable=SC2086
  "$tar" $without "-xo${compression}f" "$archive" "$@" >&2
}

# without_attributes: sets without to what keeps $tar from giving files the ACLs, flags and extended attributes of an archive, such as capabilities, which
# bsdtar does for root
without_attributes() {
  without=
  if [ "$tar" = bsdtar ] && bsdtar --no-xattrs --no-acls --no-fflags --version >/dev/null 2>&1; then without='--no-xattrs --no-acls --no-fflags'; fi
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
  look_up "$path"
  if [ -n "$trusted" ]; then
    top=$path
  else
    reach
    top=$six/.
  fi
  others=$(find "$top" "$@" -print -quit)
  if [ -n "$others" ]; then
    # others can give a file of somebody else a name there
    if [ -z "$trusted" ]; then
      linked=$(find "$top" -type f -links +1 "$@" -print -quit)
      if [ -n "$linked" ]; then fail "$path${linked#"$top"} has other names (hard links), perhaps elsewhere, and is not theirs; delete it before"; fi
      set -- ! '(' -type f -links +1 ')' "$@"
    fi
    # in each directory by its handle, since others may turn names in it; busybox has no such way
    if find / -maxdepth 0 -execdir true {} + 2>/dev/null; then
      find "$top" "$@" -execdir chown -h -- "$own" {} +
    else
      own_tree "$top" "$@"
    fi
    changed
  fi
  if [ -z "$trusted" ]; then leave; fi
  looked_up=''
}

# own_tree DIRECTORY CONDITION...: the same, one directory after the other, each proved
own_tree() {
  (
    cd -P -- "$1"
    shift
    # the x keeps newlines at the end
    here=$(env pwd -P && printf x) here=${here%??}
    find . -maxdepth 1 "$@" -exec chown -h -- "$own" {} +
    for name in ./* ./.[!.]* ./..?*; do
      if [ -L "$name" ] || [ ! -d "$name" ]; then continue; fi
      (
        cd -P -- "$name"
        if [ "$(env pwd -P && printf x)" != "$here/${name#./}${newline}x" ]; then fail "somebody exchanges what stands at $here/${name#./}"; fi
        own_tree . "$@"
      )
    done
  )
}
