# Functions for swap space.

# require_safe_place PATH: nobody but root can turn its name, since other programs find it by that
require_safe_place() {
  look_up "${1%/*}"
  if [ -n "$missing" ]; then fail "there is no directory ${1%/*} for $1"; fi
  if [ -z "$trusted" ]; then fail "others may exchange $1: they may write in its directory, or in one on the way there; choose a place where only root may"; fi
}

# swap_off PATH: the system does not use it any more
swap_off() {
  if ! swap_use "$1"; then return; fi
  said=$(swapoff "$swap_name" 2>&1) || fail "cannot stop using $1 as swap space: $(one_line "$said"); if that is for lack of memory, end something first"
  changed
}

# swap_on PATH PRIORITY: the system uses it
swap_on() {
  if swap_use "$1"; then
    if [ -z "$2" ] || [ "$priority_is" = "$2" ]; then return; fi
    swap_off "$1"
  fi
  said=$(swapon ${2:+-p "$2"} "$swap_name" 2>&1) || return
  changed
}

# cannot_swap PATH: fails since the system does not use it, as it said
cannot_swap() {
  # usage follows an option that it does not know
  said=${said%%"$newline"*}
  case $said in *ermitted*) said="$said; a container has no swap space of its own, so declare this for the machine that it runs on" ;; esac
  fail "cannot use $1 as swap space: $(one_line "$said")"
}

# ensure_swap_file PATH SIZE PRIORITY: the file has SIZE bytes, and the system uses it as swap space. What is there and is no swap space stays.
ensure_swap_file() {
  require_safe_place "$1"
  if [ -L "$1" ]; then fail "$1 is a link, not a file; name where it leads"; fi
  if [ -e "$1" ]; then
    if [ ! -f "$1" ]; then fail "$1 is not a file"; fi
    if ! swap_use "$1" && ! is_swap_space "$1"; then
      fail "$1 is a file that is no swap space; delete it with file(\"$1\", action = \"delete\") before, or choose another path"
    fi
    size_is=$(stat -c %s -- "$1")
  else
    size_is=''
  fi
  made=''
  if [ "$size_is" != "$2" ]; then
    swap_place "${1%/*}/"
    if [ -n "$unfit" ]; then fail "no file on $unfit can be swap space; choose another path than $1"; fi
    require_room "${1%/*}/" "$2" "${size_is:-0}"
    if [ -n "$size_is" ]; then
      swap_off "$1"
      rm -f -- "$1"
    fi
    make_swap_file "$1" "$2"
    made=1
    changed
  fi
  attributes_of "$1" root root 0600
  if swap_on "$1" "$3"; then return; fi
  if [ -n "$made" ]; then
    # some file systems take what was set aside and never written for holes
    case $said in
      *ermitted*) ;;
      *) if (write_zeros "$1" "$2") && mkswap "$1" >/dev/null 2>&1 && swap_on "$1" "$3"; then return; fi ;;
    esac
    rm -f -- "$1"
  fi
  cannot_swap "$1"
}

# require_room DIRECTORY SIZE FREED: so many bytes are free there, besides those of a file that goes
require_room() {
  room=$(df -Pk -- "$1" | {
    read -r line
    read -r line line line room line
    printf %s "$room"
  })
  if [ $((room * 1024 + $3)) -lt "$2" ]; then
    fail "there is no room for $(($2 / 1048576)) MiB in $1: $(((room * 1024 + $3) / 1048576)) MiB are free"
  fi
}

# make_swap_file PATH SIZE: swap space takes its place there when it is whole
make_swap_file() {
  new=${1%/*}/.pallet.${token:-$$}
  will_make "$new"
  (
    trap 'rm -f -- "$new"' EXIT
    trap 'exit 1' HUP INT TERM
    umask 077
    # never through something that stands there already
    set -C
    : >"$new"
    set +C
    if [ -n "$no_copies" ]; then chattr +C "$new" || fail "the blocks of a swap file on btrfs must not be copied, and chattr +C failed"; fi
    fallocate -l "$2" "$new" 2>/dev/null || write_zeros "$new" "$2"
    said=$(mkswap "$new" 2>&1) || fail "cannot make swap space of $1: $(one_line "$said")"
    mv -- "$new" "$1"
    trap - EXIT
  )
}

# write_zeros PATH SIZE: whole MiB
write_zeros() {
  said=$(dd if=/dev/zero of="$1" bs=1048576 count=$(($2 / 1048576)) conv=notrunc 2>&1) || fail "cannot write $1: $(one_line "$said")"
}

# ensure_swap_device PATH PRIORITY FORCE: the system uses the device as swap space. A device that has something else becomes swap space only if FORCE is
# not empty, and never one in use.
ensure_swap_device() {
  require_safe_place "$1"
  if ! block_device "$1"; then
    if [ -e "$1" ]; then fail "$1 is not a block device"; fi
    fail "there is no device $1"
  fi
  if ! swap_use "$device" && ! is_swap_space "$device"; then
    require_free_device "$1" "$3"
    if [ -n "$holds" ]; then wipe_device "$1"; fi
    said=$(mkswap "$device" 2>&1) || fail "cannot make swap space of $1: $(one_line "$said")"
    changed
  fi
  swap_on "$device" "$2" || cannot_swap "$1"
}

# ensure_no_swap_space PATH: the system does not use it as swap space
ensure_no_swap_space() {
  require_safe_place "$1"
  case $1 in
    /dev/*) ;;
    *)
      if [ -L "$1" ]; then fail "$1 is a link, not a file; name where it leads"; fi
      if [ -e "$1" ] && [ ! -f "$1" ]; then fail "$1 is not a file"; fi
      if [ -f "$1" ] && ! swap_use "$1" && ! is_swap_space "$1"; then
        fail "$1 is a file that is no swap space; delete it with file(\"$1\", action = \"delete\") if nobody needs it"
      fi
      ;;
  esac
  swap_off "$1"
}
