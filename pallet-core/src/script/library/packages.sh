# package_transaction MANAGER (--install|--upgrade|--remove|--purge NAME[=VERSION]...)...: all in as few calls as can be
package_transaction() {
  manager=$1 install='' remove='' purge=''
  shift
  for word do
    case $word in
      --*) list=$word ;;
      *)
        case $list in
          --install) package_satisfied "$word" || install="$install $word" ;;
          # the manager knows whether there is anything newer
          --upgrade) install="$install $word" ;;
          --remove) [ -z "$(package_versions "$word")" ] || remove="$remove $word" ;;
          --purge) ! package_leaves_traces "$word" || purge="$purge $word" ;;
        esac
        ;;
    esac
  done
  [ -n "$install$remove$purge" ] || return 0
  before=$(packages_sum)
  # names have no blanks: these split on purpose
  [ -z "$remove" ] || package_call remove $remove
  [ -z "$purge" ] || package_call purge $purge
  [ -z "$install" ] || package_install $install
  if [ "$(packages_sum)" != "$before" ]; then changed; fi
}

# lists that are missing or old are the usual reason for a package that cannot be found
package_install() {
  case $manager in
    apt | pacman | apk)
      if [ -z "$(package_lists_age "$manager")" ]; then
        package_refresh
        package_call install "$@"
        return
      fi
      ;;
  esac
  if ! package_call install "$@"; then
    package_refresh
    package_call install "$@"
  fi
}

package_refresh() {
  package_call refresh
  mkdir -p /var/lib/pallet
  : >/var/lib/pallet/package-lists
}

# package_lists_update MANAGER MAX-AGE: fetches the lists of packages if they are older, in seconds
package_lists_update() {
  manager=$1
  age=$(package_lists_age "$manager")
  if [ -z "$age" ] || [ "$age" -ge "$2" ]; then
    package_refresh
    changed
  fi
}

# package_upgrade_all MANAGER: the newest version of everything
package_upgrade_all() {
  manager=$1
  before=$(packages_sum)
  package_call upgrade_all
  if [ "$(packages_sum)" != "$before" ]; then changed; fi
}

# package_versions NAME: prints the installed versions, nothing if there is none
package_versions() {
  case $manager in
    apt) ! dpkg_knows "$1" || dpkg-query -W -f '${db:Status-Status} ${Version}\n' "$1" 2>/dev/null | sed -n -e 's/^installed //p' -e 's/^triggers-[a-z]* //p' ;;
    dnf | yum | zypper)
      if versions=$(rpm -q --qf '%|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}\n' "$1" 2>/dev/null); then printf '%s\n' "$versions"; fi
      ;;
    pacman) if versions=$(pacman -Q "$1" 2>/dev/null); then printf '%s\n' "${versions##* }"; fi ;;
    apk) if versions=$(apk info -e -v "$1" 2>/dev/null); then printf '%s\n' "${versions#"$1"-}"; fi ;;
  esac
}

# dpkg_knows NAME: fails if dpkg has no list of files of it, and so it is not installed; this costs no process
dpkg_knows() {
  for list in /var/lib/dpkg/info/"${1%%:*}".list /var/lib/dpkg/info/"${1%%:*}":*.list; do
    if [ -e "$list" ]; then return 0; fi
  done
  [ ! -d /var/lib/dpkg/info ]
}

# package_satisfied NAME[=VERSION]: a version may leave its epoch and its release open, and end with *
package_satisfied() {
  versions=$(package_versions "${1%%=*}")
  case $1 in
    *=*)
      for version in $versions; do
        if version_is "$version" "${1#*=}"; then return 0; fi
      done
      return 1
      ;;
    *) [ -n "$versions" ] || { [ "$manager" = apt ] && apt_provides "$1"; } ;;
  esac
}

version_is() {
  case $1 in $2 | $2-* | *:$2 | *:$2-*) return 0 ;; *) return 1 ;; esac
}

# only dpkg keeps configuration files of packages that are removed
package_leaves_traces() {
  case $manager in
    apt) dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null | grep -q -v '^not-installed$' ;;
    *) [ -n "$(package_versions "$1")" ] ;;
  esac
}

# something that differs when any package is another
packages_sum() {
  case $manager in
    apt) cksum </var/lib/dpkg/status ;;
    dnf | yum | zypper) rpm -qa | sort | cksum ;;
    pacman) ls /var/lib/pacman/local | cksum ;;
    apk) cat /lib/apk/db/installed /usr/lib/apk/db/installed 2>/dev/null | cksum ;;
  esac
}

package_call() {
  verb=$1
  shift
  case $manager-$verb in
    apt-refresh) apt_get update ;;
    apt-install) apt_get --allow-downgrades install $(apt_versions "$@") ;;
    apt-remove) apt_get remove "$@" ;;
    apt-purge) apt_get purge "$@" ;;
    apt-upgrade_all) apt_get --with-new-pkgs upgrade ;;
    dnf-refresh) quietly dnf -y -q makecache --refresh ;;
    yum-refresh) quietly yum -y -q makecache ;;
    dnf-install | yum-install) rpm_install "$@" ;;
    dnf-remove | dnf-purge | yum-remove | yum-purge) quietly "$manager" -y -q remove "$@" ;;
    dnf-upgrade_all | yum-upgrade_all) quietly "$manager" -y -q upgrade ;;
    zypper-refresh) zypper_call refresh ;;
    zypper-install) zypper_call install --oldpackage --auto-agree-with-licenses "$@" ;;
    zypper-remove | zypper-purge) zypper_call remove "$@" ;;
    zypper-upgrade_all) zypper_call update --auto-agree-with-licenses ;;
    pacman-refresh) quietly pacman -Sy --noconfirm --noprogressbar ;;
    pacman-install) quietly pacman -S --noconfirm --noprogressbar --needed "$@" ;;
    pacman-remove) quietly pacman -R --noconfirm --noprogressbar "$@" ;;
    pacman-purge) quietly pacman -Rn --noconfirm --noprogressbar "$@" ;;
    pacman-upgrade_all) quietly pacman -Syu --noconfirm --noprogressbar ;;
    apk-refresh) quietly apk update ;;
    apk-install) quietly apk add --upgrade $(apk_versions "$@") ;;
    apk-remove) quietly apk del "$@" ;;
    apk-purge) quietly apk del --purge "$@" ;;
    apk-upgrade_all) quietly apk upgrade ;;
    *) fail "there is no package manager that can $verb: $manager" ;;
  esac
}

# apt would take an unknown name that looks like a pattern for one (Pattern-Only), and ask about changed configuration files
apt_get() {
  quietly env DEBIAN_FRONTEND=noninteractive APT_LISTCHANGES_FRONTEND=none NEEDRESTART_MODE=l \
    apt-get -y -q -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold -o DPkg::Lock::Timeout=60 \
    -o APT::Cmd::Pattern-Only=true "$@"
}

# apt wants versions whole: these are the newest ones that match
apt_versions() {
  for word do
    case $word in
      *=*)
        for version in $(apt-cache madison "${word%%=*}" | cut -d '|' -f 2); do
          if version_is "$version" "${word#*=}"; then
            word=${word%%=*}=$version
            break
          fi
        done
        ;;
    esac
    printf '%s\n' "$word"
  done
}

# apk writes name~version for a version that leaves something open
apk_versions() {
  for word do
    case $word in
      *=*-r[0-9]*) ;;
      *=*)
        word=${word%%=*}~${word#*=}
        word=${word%"*"}
        ;;
    esac
    printf '%s\n' "$word"
  done
}

# dnf and yum write name-version, and upgrade nothing that is installed when told to install it
rpm_install() {
  new='' old=''
  for word do
    case $word in
      *=*) new="$new ${word%%=*}-${word#*=}" ;;
      *) if [ -n "$(package_versions "$word")" ]; then old="$old $word"; else new="$new $word"; fi ;;
    esac
  done
  [ -z "$new" ] || quietly "$manager" -y -q install $new || return
  [ -z "$old" ] || quietly "$manager" -y -q upgrade $old
}

# zypper tells with codes from 100 what to do next: reboot, restart, repositories that were skipped
zypper_call() {
  log=$(mktemp)
  status=0
  zypper --non-interactive --quiet "$@" >"$log" 2>&1 </dev/null || status=$?
  case $status in
    0 | 100 | 101 | 102 | 103 | 106) status=0 ;;
    *) tail -n 40 -- "$log" >&2 ;;
  esac
  rm -f -- "$log"
  return "$status"
}
