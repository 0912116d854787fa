# What is known of a block device: what it holds, and what uses it.

# block_device PATH: sets device to where it leads, and number to what the kernel calls it; fails if that is no block device
block_device() {
  device=$(readlink -f -- "$1") || return
  if [ ! -b "$device" ]; then return 1; fi
  number=$(stat -c %t:%T -- "$device")
  number=$((0x${number%:*})):$((0x${number#*:}))
}

# device_use: sets used to what uses the device or a part of it, and where to the place where it is mounted itself; both are empty if nothing does
device_use() {
  used='' where='' numbers=" $number "
  for part in /sys/dev/block/"$number"/*/partition; do
    if [ -e "$part" ] && read -r part <"${part%/*}/dev"; then numbers="$numbers$part "; fi
  done
  # volumes, arrays, and what is encrypted
  for part in $numbers; do
    for holder in /sys/dev/block/"$part"/holders/*; do
      if [ -e "$holder" ]; then used="used by ${holder##*/}"; fi
    done
  done
  while read -r name rest; do
    if [ "$name" = "$device" ]; then used='used as swap space'; fi
  done </proc/swaps
  while read -r mount parent id root place rest; do
    case $numbers in
      *" $id "*) ;;
      *)
        # file systems that span devices have numbers of their own
        source=${rest##* - } source=${source#* } source=${source%% *}
        case $id:$source in 0:*:/dev/*) ;; *) continue ;; esac
        if [ "$(readlink -f -- "$source")" != "$device" ]; then continue; fi
        ;;
    esac
    unescape "$place"
    used="mounted at $unescaped"
    # what is mounted of a part is another file system
    case $id in "$number" | 0:*) where=$unescaped ;; esac
  done </proc/self/mountinfo
}

# device_content: sets holds to what the device has: the type of a file system or of something else, or `a partition table (KIND)`; to nothing if
# it has nothing that is known; to `?` if that cannot be told
device_content() {
  holds='?'
  # others do not look for partition tables, or remember what was there
  case $(blkid -V 2>&1) in *util-linux*) ;; *) return ;; esac
  status=0
  found=$(blkid -p -o export -- "$device" 2>/dev/null) || status=$?
  case $status in
    0) ;;
    2)
      holds=''
      return
      ;;
    8)
      holds='more than one signature'
      return
      ;;
    *) return ;;
  esac
  holds=$(printf '%s\n' "$found" | sed -n 's/^TYPE=//p')
  if [ -z "$holds" ]; then
    holds=$(printf '%s\n' "$found" | sed -n 's/^PTTYPE=\(.*\)/a partition table (\1)/p')
  fi
}
