# Functions for file systems.

# ensure_filesystem DEVICE TYPE LABEL FORCE RESIZE OPTION...: the device has such a file system. A new one is made with the options, and takes the place of
# something else only if FORCE is not empty. It has the label, unless that is empty; it fills the device if RESIZE is not empty.
ensure_filesystem() {
  require_safe_place "$1"
  if ! block_device "$1"; then
    if [ -e "$1" ]; then fail "$1 is not a block device"; fi
    fail "there is no device $1"
  fi
  type=$2 label=$3 force=$4 resize=$5
  device_content
  if [ "$holds" != "$type" ]; then
    require_filesystem_programs "$1"
    require_free_device "$1" "$force"
    if [ -n "$holds" ]; then wipe_device "$1"; fi
    make_filesystem "$@"
    return
  fi
  device_use
  if [ -n "$label" ] && [ "$(blkid -p -s LABEL -o value -- "$device" 2>/dev/null)" != "$label" ]; then
    require_filesystem_programs "$1"
    label_filesystem "$1"
  fi
  if [ -n "$resize" ]; then
    require_filesystem_programs "$1"
    growth=$(filesystem_growth "$type")
    if [ -n "$growth" ]; then grow_filesystem "$1"; fi
  fi
}

require_filesystem_programs() {
  lacks=$(filesystem_programs "$type")
  if [ -n "$lacks" ]; then fail "$type on $1 needs ${lacks% *}; declare package(\"${lacks#* }\") before it"; fi
}

# make_filesystem DEVICE TYPE LABEL FORCE RESIZE OPTION...: the device has nothing. Of the programs, those that look themselves are let do so.
make_filesystem() {
  path=$1
  shift 5
  case $type in
    ext4) set -- mkfs.ext4 -q -F ${label:+-L "$label"} "$@" ;;
    xfs) set -- mkfs.xfs -q ${label:+-L "$label"} "$@" ;;
    btrfs) set -- mkfs.btrfs -q ${label:+-L "$label"} "$@" ;;
    # -I: on a whole disk too
    vfat) set -- mkfs.vfat -I ${label:+-n "$label"} "$@" ;;
  esac
  said=$("$@" "$device" 2>&1) || fail "cannot make $type on $path: $(one_line "$said")"
  device_content
  if [ "$holds" != "$type" ]; then fail "$1 succeeded, but $path has ${holds:-nothing}, not $type; look at its options"; fi
  # names such as those below /dev/disk/by-label come with it
  if command -v udevadm >/dev/null; then udevadm settle --timeout=10 >/dev/null 2>&1 || :; fi
  changed
}

# label_filesystem DEVICE
label_filesystem() {
  case $type in
    ext4) set -- "$1" e2label "$device" "$label" ;;
    xfs)
      if [ -n "$where" ]; then
        set -- "$1" xfs_io -c "label -s $label" "$where"
      else
        set -- "$1" xfs_admin -L "$label" "$device"
      fi
      ;;
    btrfs) set -- "$1" btrfs filesystem label "${where:-$device}" "$label" ;;
    vfat)
      if [ -n "$where" ]; then fail "the label of $1 cannot change while it is mounted at $where; unmount it before"; fi
      set -- "$1" fatlabel "$device" "$label"
      ;;
  esac
  path=$1
  shift
  said=$("$@" 2>&1) || fail "cannot change the label of $path: $(one_line "$said")"
  changed
}

# grow_filesystem DEVICE: it fills the device
grow_filesystem() {
  case $type in
    ext4)
      if [ -z "$where" ]; then
        # resize2fs wants that, and 1 tells that something was mended
        status=0
        said=$(e2fsck -f -p "$device" 2>&1) || status=$?
        if [ "$status" -gt 1 ]; then fail "cannot grow $1: it has errors that e2fsck does not mend by itself: $(one_line "$said")"; fi
      fi
      said=$(resize2fs "$device" 2>&1) || fail "cannot grow $1: $(one_line "$said")"
      ;;
    xfs) where_mounted xfs_growfs -d || fail "cannot grow $1: $(one_line "$said")" ;;
    btrfs)
      id=$(btrfs inspect-internal dump-super -- "$device" | sed -n 's/^dev_item.devid[[:blank:]]*//p')
      where_mounted btrfs filesystem resize "$id:max" || fail "cannot grow $1: $(one_line "$said")"
      ;;
  esac
  growth=$(filesystem_growth "$type")
  if [ -n "$growth" ]; then fail "$type on $1 did not grow: it has ${growth% *} of ${growth#* } bytes"; fi
  changed
}

# where_mounted COMMAND...: runs it with the place where the file system is mounted. If it is not, it is mounted for the command alone, where nobody else
# sees it, and is gone with it, even if this is killed.
where_mounted() {
  if [ -n "$where" ]; then
    said=$("$@" "$where" 2>&1)
    return
  fi
  # shellcheck disable=SC2016
  said=$(
    unshare --mount sh -e -c '
      mount --make-rprivate /
      mount -t "$1" -- "$2" /mnt
      shift 2
      "$@" /mnt
      umount /mnt' sh "$type" "$device" "$@" 2>&1
  )
}
