# Facts that are only read if somebody wants to know them: detail NAME...

detail() {
  for detail do "detail_$detail"; done
}

detail_boot_time() {
  # the line before it can be long, since it counts interrupts
  while read -r key value rest; do
    if [ "$key" = btime ]; then
      answer detail boot_time "$value"
      break
    fi
  done </proc/stat
}

detail_disks() {
  for path in /sys/block/*; do
    name=${path##*/} size='' spins=''
    case $name in '*' | loop* | ram* | zram* | dm-* | md* | sr* | fd* | nbd*) continue ;; esac
    { read -r size <"$path/size" && read -r spins <"$path/queue/rotational"; } 2>/dev/null
    case $size in '' | 0) ;; *) answer detail disk "$name" "$size" "$spins" ;; esac
  done
  answer detail disks
}

# no name server is asked: it may not answer
detail_fqdn() {
  fqdn=$host line=''
  if [ -z "$fqdn" ]; then fqdn=$(uname -n); fi
  case $fqdn in
    *[!A-Za-z0-9-]*) ;;
    *) line=$(grep -m 1 -i -E "[[:space:]]$fqdn([[:space:].]|\$)" /etc/hosts 2>/dev/null) ;;
  esac
  # names hold neither spaces nor patterns
  for name in ${line%%#*}; do
    case $name in
      "$fqdn".?*)
        fqdn=$name
        break
        ;;
    esac
  done
  answer detail fqdn "$fqdn"
}

detail_mounts() {
  set --
  while read -r device path kind rest; do
    case $kind in
      ext[234] | xfs | btrfs | zfs | f2fs | jfs | reiserfs | vfat | exfat | ntfs3 | overlay | erofs | bcachefs)
        answer detail mount "$device" "$path" "$kind"
        unescape "$path"
        set -- "$@" "$unescaped"
        ;;
      # what belongs to another machine may not answer
      nfs* | cifs | smb3 | ceph | glusterfs | lustre | 9p | virtiofs | fuse.sshfs | fuse.ceph | fuse.glusterfs | fuseblk)
        answer detail mount "$device" "$path" "$kind"
        ;;
    esac
  done </proc/self/mounts
  sizes=''
  if [ $# -gt 0 ]; then sizes=$(stat -f -c '%S %b %a %n' -- "$@" 2>/dev/null); fi
  answer detail mounts "$sizes"
}

detail_network() {
  for path in /sys/class/net/*; do
    name=${path##*/} mac='' mtu='' state=''
    case $name in '*' | lo) continue ;; esac
    {
      read -r mac <"$path/address"
      read -r mtu <"$path/mtu"
      read -r state <"$path/flags"
    } 2>/dev/null
    answer detail interface "$name" "$mac" "$mtu" "$state"
  done
  addresses='' routes=''
  if command -v ip >/dev/null 2>&1; then
    addresses=$(ip -o addr show 2>/dev/null)
    routes=$(
      ip route show default 2>/dev/null
      ip -6 route show default 2>/dev/null
    )
  fi
  answer detail network "$addresses" "$routes"
}

detail_time_zone() {
  zone=$(readlink /etc/localtime 2>/dev/null)
  case $zone in
    */zoneinfo/*) zone=${zone##*/zoneinfo/} ;;
    *)
      zone=''
      { read -r zone </etc/timezone; } 2>/dev/null
      ;;
  esac
  answer detail time_zone "${zone:-UTC}"
}

detail_users() {
  answer detail users "$(who 2>/dev/null)"
}
