# What is known of the file system on a device.

# filesystem_programs TYPE: prints the first program that is needed and missing, with the package that has it
filesystem_programs() {
  case $1 in
    ext4) set -- e2fsprogs mkfs.ext4 e2label dumpe2fs resize2fs ;;
    xfs) set -- xfsprogs mkfs.xfs xfs_db xfs_admin ;;
    btrfs) set -- btrfs-progs mkfs.btrfs btrfs ;;
    vfat) set -- dosfstools mkfs.vfat ;;
  esac
  package=$1
  shift
  for program do
    if ! command -v "$program" >/dev/null; then
      echo "$program $package"
      return
    fi
  done
}

# filesystem_growth TYPE: prints the size of the file system of the device and the one that it could have, in bytes, if it can grow: a file system
# leaves what is too small for a group of its blocks at the end. `where` is the place where it is mounted.
filesystem_growth() {
  bytes=$(blockdev --getsize64 "$device") || return
  case $1 in
    ext4) dumpe2fs -h -- "$device" ;;
    xfs)
      if [ -n "$where" ]; then
        # the device does not tell the last of it
        xfs_info "$where"
      else
        xfs_db -r -c 'sb 0' -c 'print blocksize agblocks dblocks' -- "$device"
      fi
      ;;
    btrfs) btrfs inspect-internal dump-super -- "$device" ;;
  esac 2>/dev/null | awk -v type="$1" -v bytes="$bytes" '
    function behind(word,    at) { at = index($0, word); return substr($0, at + length(word)) + 0 }
    /^Block count:/ { has = $3 }
    /^Block size:/ { block = $3 }
    /^First block:/ { first = $3 }
    /^Blocks per group:/ { group = $4 }
    /^Inode blocks per group:/ { least += $4 }
    /^Reserved GDT blocks:/ { least += $4 }
    /^blocksize = / { block = $3 }
    /^agblocks = / { group = $3 }
    /^dblocks = / { has = $3 }
    /agsize=/ { group = behind("agsize=") }
    /^data / { block = behind("bsize="); has = behind("blocks=") }
    $1 == "dev_item.total_bytes" { has = $2; block = 1 }
    $1 == "sectorsize" { sector = $2 }
    END {
      if (!block || !has) exit
      if (type == "btrfs") {
        could = bytes - bytes % sector
      } else {
        could = int(bytes / block)
        if (type == "xfs") least = 64
        else {
          # whole pages, and a group with what each has: its share of the table of groups too
          if (block < 4096) could -= could % (4096 / block)
          least += int(could / group * 64 / block) + 1 + 53
        }
        rest = (could - first) % group
        if (rest < least) could -= rest
      }
      if (could > has) printf "%.0f %.0f\n", has * block, could * block
    }'
}

# filesystem_differs DEVICE TYPE LABEL RESIZE: prints what is not so of a device with such a file system, a line each. An empty LABEL is any; it grows
# only if RESIZE is not empty.
filesystem_differs() {
  if ! block_device "$1"; then
    if [ -e "$1" ]; then echo other; else echo absent; fi
    return
  fi
  device_content
  lacks=$(filesystem_programs "$2")
  if [ "$holds" != "$2" ]; then
    if [ -n "$lacks" ]; then echo "lacks $lacks"; fi
    device_use
    if [ -n "$used" ]; then echo "used $used"; fi
    echo "holds $holds"
    return
  fi
  label_is=$(blkid -p -s LABEL -o value -- "$device" 2>/dev/null)
  growth=''
  if [ -n "$4" ]; then
    device_use
    growth=$(filesystem_growth "$2")
  fi
  if [ -n "$lacks" ] && { [ -n "$4" ] || { [ -n "$3" ] && [ "$label_is" != "$3" ]; }; }; then echo "lacks $lacks"; fi
  if [ -n "$3" ] && [ "$label_is" != "$3" ]; then echo "label $label_is"; fi
  if [ -n "$growth" ]; then echo "grow $growth"; fi
}
