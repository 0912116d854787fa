# What is known of swap space.

# swap_use PATH: succeeds if it is in use as swap space, and sets priority_is to its priority
swap_use() {
  # a container sees what the machine uses
  if [ ! -e "$1" ]; then return 1; fi
  swap_name=$(readlink -f -- "$1")
  while read -r name kind size used priority_is rest; do
    if [ "$name" = "$swap_name" ]; then return; fi
  done </proc/swaps
  return 1
}

# is_swap_space PATH: whether mkswap made it
is_swap_space() {
  page=$(getconf PAGESIZE 2>/dev/null) || page=4096
  [ "$(dd if="$1" bs=1 skip=$((page - 10)) count=10 2>/dev/null | tr -d '\000')" = SWAPSPACE2 ]
}

# swap_place DIRECTORY: sets unfit to the kind of file system there, if no file of it can be swap space, and no_copies if it must be told not to move
# what is in the file
swap_place() {
  unfit='' no_copies=''
  case $(stat -f -c %t -- "$1" 2>/dev/null) in
    1021994) unfit=tmpfs ;;
    858458f6) unfit=ramfs ;;
    794c7630) unfit=overlay ;;
    2fc12fc1) unfit=zfs ;;
    6969) unfit=nfs ;;
    ff534d42 | fe534d42) unfit=cifs ;;
    65735546) unfit=fuse ;;
    9123683e) no_copies=1 ;;
  esac
}

# swap_file_differs PATH SIZE PRIORITY: prints what is not so of a file of SIZE bytes that is used as swap space, a line each
swap_file_differs() {
  if [ -L "$1" ]; then
    echo link
  elif [ ! -e "$1" ]; then
    echo absent
    swap_place "${1%/*}/"
    if [ -n "$unfit" ]; then echo "unfit $unfit"; fi
  elif [ ! -f "$1" ]; then
    echo other
  else
    found=$(stat -c %u:%g:%a:%s -- "$1")
    case $found in 0:0:600:*) ;; *) echo "mode ${found%:*}" ;; esac
    if [ "${found##*:}" != "$2" ]; then echo "size ${found##*:}"; fi
    swap_use_differs "$1" "$3" foreign
  fi
}

# swap_use_differs PATH PRIORITY FOREIGN: the same of its use; FOREIGN is printed if it is no swap space yet
swap_use_differs() {
  if ! swap_use "$1"; then
    if ! is_swap_space "$1"; then echo "$3"; fi
    echo unused
  elif [ -n "$2" ] && [ "$priority_is" != "$2" ]; then
    echo "priority $priority_is"
  fi
}

# swap_device_differs PATH PRIORITY: the same of a device
swap_device_differs() {
  if ! block_device "$1"; then
    if [ -e "$1" ]; then echo other; else echo absent; fi
    return
  fi
  foreign=''
  if ! swap_use "$device" && ! is_swap_space "$device"; then
    device_content
    foreign="holds $holds"
    device_use
    if [ -n "$used" ]; then echo "used $used"; fi
  fi
  swap_use_differs "$device" "$2" "$foreign"
}

# swap_left PATH: prints what is left of swap space that should not be there: `used`, and what stands in the place of its file
swap_left() {
  if swap_use "$1"; then
    echo used
  elif [ -f "$1" ] && [ ! -L "$1" ] && ! is_swap_space "$1"; then
    echo foreign
  fi
  case $1 in
    /dev/*) ;;
    *)
      if [ -L "$1" ]; then
        echo link
      elif [ -f "$1" ]; then
        echo file
      elif [ -e "$1" ]; then
        echo other
      fi
      ;;
  esac
}
