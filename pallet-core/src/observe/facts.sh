# What every node is asked: which system it is, and what manages its packages and services.
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
# the session may ask for a locale that is not there; and what commands say is read
LC_ALL=C
export PATH LC_ALL
nl='
'

# answer FIELD...: one answer; its first field says of what
answer() { printf "%s $token " "$token<" "$@" "$token>" "$nl"; }

id='' like='' version=''
for release in /etc/os-release /usr/lib/os-release; do
  [ -r "$release" ] || continue
  while IFS='=' read -r key value || [ -n "$key" ]; do
    case $value in
      \"*\") value=${value#\"} value=${value%\"} ;;
      \'*\') value=${value#\'} value=${value%\'} ;;
    esac
    case $key in
      ID) id=$value ;;
      ID_LIKE) like=$value ;;
      VERSION_ID) version=$value ;;
    esac
  done <"$release"
  break
done

# a system can carry the tools of others, so its own come first
case " $id $like " in
  *' debian '* | *' ubuntu '*) own=apt-get ;;
  *suse*) own=zypper ;;
  *' arch '* | *' archlinux '*) own=pacman ;;
  *' alpine '*) own=apk ;;
  *' rhel '* | *' fedora '* | *' centos '* | *' amzn '*) own='dnf yum' ;;
  *) own='' ;;
esac
packages=unknown
for command in $own apt-get dnf yum zypper pacman apk; do
  if command -v "$command" >/dev/null 2>&1; then
    packages=${command%-get}
    break
  fi
done

services=process
if [ -d /run/systemd/system ]; then
  services=systemd
elif [ -d /run/openrc ] || command -v openrc-run >/dev/null 2>&1; then
  services=openrc
elif [ -d /run/runit ]; then
  services=runit
elif command -v service >/dev/null 2>&1 || command -v start-stop-daemon >/dev/null 2>&1; then
  for path in /etc/init.d/*; do
    if [ -x "$path" ]; then services=sysvinit; fi
    break
  done
fi

answer fact id "$id"
answer fact id_like "$like"
answer fact version "$version"
answer fact packages "$packages"
answer fact services "$services"

# Builtins read the rest out of /proc where that is sure, since a process costs the node more; commands tell it where it is not.
host='' arch='' personality=''
{
  read -r host </proc/sys/kernel/hostname
  read -r arch </proc/sys/kernel/arch
  read -r personality </proc/self/personality
} 2>/dev/null
case $host:$arch:$personality in
  ?*:?*:00000000) answer fact uname "$host $arch" ;;
  *) answer fact uname "$(uname -nm)" ;;
esac

uid='' allowed='' first='' online=''
if [ -r /proc/self/status ]; then
  while read -r key one two value; do
    case $key in
      Uid:) uid=$two ;;
      Cpus_allowed_list:)
        allowed=$one
        break
        ;;
    esac
  done </proc/self/status
fi
if [ "$uid" = 0 ]; then read -r first </etc/passwd; fi
case $first in
  root:*:0:*) answer fact user root ;;
  *) answer fact user "$(id -un)" ;;
esac
# processors that are on, and that this shell may use: two ranges from 0 are easily joined
if [ -r /sys/devices/system/cpu/online ]; then read -r online </sys/devices/system/cpu/online; fi
[ "$online" != 0 ] || online=0-0
[ "$allowed" != 0 ] || allowed=0-0
case ${online#0-}:${allowed#0-} in
  *[!0-9:]* | :* | *:) cores=$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null) ;;
  *)
    cores=${online#0-}
    if [ "${allowed#0-}" -lt "$cores" ]; then cores=${allowed#0-}; fi
    cores=$((cores + 1))
    ;;
esac
answer fact cores "$cores"
ram='' swap=''
if [ -r /proc/meminfo ]; then
  while read -r key kib value; do
    case $key in
      MemTotal:) ram=$kib ;;
      SwapTotal:)
        swap=$kib
        break
        ;;
    esac
  done </proc/meminfo
fi
answer fact ram "$ram"
answer fact swap "$swap"
kernel='' machine='' init='' enforce='' hypervisor='' vendor='' product='' container=''
{
  read -r kernel </proc/sys/kernel/osrelease
  read -r machine </etc/machine-id
  read -r init </proc/1/comm
  read -r enforce </sys/fs/selinux/enforce
  read -r hypervisor </sys/hypervisor/type
  read -r vendor </sys/class/dmi/id/sys_vendor
  read -r product </sys/class/dmi/id/product_name
  read -r container </run/systemd/container
} 2>/dev/null
if [ -e /.dockerenv ]; then
  container=docker
elif [ -e /run/.containerenv ]; then
  container=podman
fi
answer fact kernel "$kernel"
answer fact machine_id "$machine"
answer fact init "$init"
answer fact selinux "$enforce"
answer fact virtualization "$container" "$hypervisor" "$vendor" "$product"
if [ -e /var/lib/pallet/bootstrapped ]; then answer fact bootstrapped yes; fi
for path in /var/lib/pallet/flags/*; do
  if [ -e "$path" ]; then answer flag "${path##*/}"; fi
done
left=''
if [ -s /var/lib/pallet/temporaries ]; then left=1; fi
for path in /var/lib/pallet/incoming/* /var/lib/pallet/flags/.log.*; do
  if [ -e "$path" ]; then left=1; fi
done
# what is at work now holds the lock, and has left nothing
if [ -n "$left" ] && { ! command -v flock >/dev/null 2>&1 || flock -n /var/lib/pallet/lock true 2>/dev/null; }; then
  answer leftovers
fi
