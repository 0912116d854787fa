# New files of one directory with one owner, group and mode are put in place together: that takes as few processes as one of them does. Until then
# they are whole in a directory beside their places, and nothing is said of their parts.

# batch_begin: new files may wait from now on
batch_begin() {
  batch_before=let_others_first batch_takes=can_wait batch_holds=hold_file said='' hold='' held='' records='' flushing=''
  on_exit batch_failed
}

# batch_say TEXT: says it when all files that wait are in place
batch_say() {
  said=$said$1
  if [ -z "$held" ]; then batch_told; fi
}

# batch_end: all that waits is put in place
batch_end() {
  if [ -n "$held" ]; then batch_flush; fi
  trap - EXIT
}

batch_told() {
  printf %s "$said"
  said=''
}

# let_others_first PATH: what does not wait itself comes after all that does
let_others_first() {
  if [ -n "$held" ]; then
    if [ -e "$1" ] || [ -L "$1" ]; then batch_flush; fi
  fi
}

# can_wait PATH DIGEST VERIFY: a file that is new, and that nothing has to look at before
can_wait() {
  if [ -z "$2" ] || [ -n "$3" ] || [ -e "$1" ] || [ -L "$1" ]; then return 1; fi
  case $1 in *"$newline"*) return 1 ;; esac
}

# hold_file PATH DIGEST: what the function `content` prints waits, with the owner, group and mode that are set, and its digest is remembered. The
# directory that it goes to was looked up.
hold_file() {
  place=${1%/*}/.pallet.$token.new
  if [ -n "$held" ]; then
    if [ "$hold_place $held_owner $held_group $held_mode" != "$place $owner $group $mode" ] || [ "$count" -ge 500 ] || [ -e "$hold/${1##*/}" ]; then
      batch_flush
    fi
  fi
  umask 077
  if [ -n "${no_versions-}" ]; then mark_secret "$1" "$2"; fi
  if [ -z "$held" ]; then
    if [ -n "$trusted" ]; then
      will_make "$place"
      mkdir -- "$place"
      hold=$place into=${1%/*}/
    else
      reach
      work_apart "${1##*/}"
      hold=$seven into=$six/
    fi
    hold_place=$place held_owner=$owner held_group=$group held_mode=$mode count=0 first=$part
  fi
  content "$hold/${1##*/}" >"$hold/${1##*/}"
  umask 022
  held=$held$hold/${1##*/}$newline records="$records$2  $1$newline" count=$((count + 1))
  replaced=1
  changed
}

# batch_flush: they become visible one after the other, each whole, on disk, and with its owner, group and mode
batch_flush() {
  flushing=1 own=$held_owner${held_group:+:$held_group}
  # a directory can give its group to a new file
  if [ "$uid $own" = '0 root:root' ] && [ ! -g "$into" ]; then own=''; fi
  IFS=$newline
  set -f
  set -- $held
  set +f
  unset IFS
  [ -z "$own" ] || chown -- "$own" "$@"
  chmod -- "$held_mode" "$@"
  unsure=
  for file do unsure="$unsure-  ${hold_place%/*}/${file##*/}$newline"; done
  record_unsure "${unsure%"$newline"}"
  sync -- "$@" ${record:+"$record"} 2>/dev/null || sync
  if [ -e /sys/fs/selinux/enforce ]; then
    for file do label "$file" "${hold_place%/*}/${file##*/}"; done
  fi
  mv -f -- "$@" "$into"
  if [ -n "${six-}" ]; then leave; else rm -rf -- "$hold"; fi
  for file do forget_origin "${hold_place%/*}/${file##*/}"; done
  if [ -w /var/lib/pallet ]; then
    append_written "${records%"$newline"}"
    compact_written
  fi
  held='' hold='' records='' flushing=''
  batch_told
}

# batch_failed: how the shell ends if a part fails. What waited before it is put in place and told of, unless just that failed.
batch_failed() {
  code=$?
  trap - EXIT
  set +e
  failed=$part
  if [ -n "$held" ]; then
    if [ -z "$flushing" ] && [ "$code" -lt 128 ]; then
      (
        set -e
        batch_flush
      )
      flushing=$?
    fi
    if [ "$flushing" != 0 ]; then failed=$first; fi
  fi
  if [ -n "${six-}" ]; then
    leave
  elif [ -n "$hold" ]; then
    rm -rf -- "$hold"
  fi
  printf '\n%s end %s %s\n' "$token" "$failed" "$code"
  exit "$code"
}
