# package_transaction MANAGER [--disable-service-start] [--allow-unsigned] (--enable|--disable REPOSITORY...)...
#   (--install|--upgrade|--remove|--purge NAME[=VERSION]...)...: all in as few calls as can be
package_transaction() {
  manager=$1 install='' remove='' purge='' enable='' disable='' quiet_start='' unsigned=''
  shift
  for word do
    case $word in
      --disable-service-start) quiet_start=yes ;;
      --allow-unsigned) unsigned=yes ;;
      --*) list=$word ;;
      *)
        case $list in
          --enable) enable="$enable $word" ;;
          --disable) disable="$disable $word" ;;
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
  package_options
  before=$(packages_sum)
  # names have no blanks: these split on purpose
  [ -z "$remove" ] || package_call remove $remove
  [ -z "$purge" ] || package_call purge $purge
  if [ -z "$install" ]; then :; elif [ -n "$quiet_start" ]; then
    package_install_quietly $install
  else
    package_install $install
  fi
  if [ "$(packages_sum)" != "$before" ]; then changed; fi
}

# package_options: sets options and install_options to what the manager calls the repositories in $enable and $disable, and $unsigned
package_options() {
  options='' install_options=''
  for repository in $enable; do
    case $manager in
      apt) install_options="$install_options -t $repository" ;;
      dnf | yum) options="$options --enablerepo=$repository" ;;
      zypper) install_options="$install_options --from $repository" ;;
      # apk takes a package from the repository with a tag, see apk_versions
      apk) install_options=@$repository ;;
    esac
  done
  for repository in $disable; do options="$options --disablerepo=$repository"; done
  if [ -n "$unsigned" ]; then
    case $manager in
      apt) options="$options -o Acquire::AllowInsecureRepositories=true -o APT::Get::AllowUnauthenticated=true" ;;
      dnf | yum) options="$options --nogpgcheck" ;;
      zypper) options="$options --no-gpg-checks" ;;
      apk) options="$options --allow-untrusted" ;;
    esac
  fi
}

# package_install_quietly NAME...: Debian's packages do not start their services. What was put aside comes back even after a run that was killed.
package_install_quietly() {
  policy=/usr/sbin/policy-rc.d
  (
    restore() {
      if [ -s "$policy.pallet" ]; then mv -f -- "$policy.pallet" "$policy"; else rm -f -- "$policy" "$policy.pallet"; fi
    }
    if [ -e "$policy.pallet" ]; then restore; fi
    trap restore EXIT
    trap 'exit 1' HUP INT
    if [ -e "$policy" ]; then cp -p -- "$policy" "$policy.pallet"; else : >"$policy.pallet"; fi
    rm -f -- "$policy"
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    package_install "$@"
  )
}

# lists that are missing or old are the usual reason for a package that cannot be found
package_install() {
  if [ -e /var/lib/pallet/package-sources ]; then
    package_refresh
  else
    case $manager in
      apt | pacman | apk) if [ -z "$(package_lists_age "$manager")" ]; then package_refresh; fi ;;
    esac
  fi
  if [ -n "${refreshed-}" ]; then
    package_call install "$@"
  else
    # what the manager says is told once: if it says so with new lists too
    unsaid=1
    if package_call install "$@"; then
      unsaid=''
    else
      unsaid=''
      package_refresh
      package_call install "$@"
    fi
  fi
}

package_refresh() {
  package_call refresh
  mkdir -p /var/lib/pallet
  : >/var/lib/pallet/package-lists
  rm -f /var/lib/pallet/package-sources
  refreshed=1
}

# package_sources_changed: the lists of packages are older than what says where packages come from
package_sources_changed() {
  mkdir -p /var/lib/pallet
  : >/var/lib/pallet/package-sources
}

# package_file MANAGER NAME SUFFIX: installs the package that the function `content` prints, or writes to the path that it is given, if NAME is not
# installed
package_file() {
  manager=$1 enable='' disable='' unsigned=''
  if package_satisfied "$2"; then return; fi
  package_options
  # a file is as it should be by its digest, and the others ask for no signature of one; what it needs besides must have its own
  if [ "$manager" = zypper ]; then install_options="$install_options --allow-unsigned-rpm"; fi
  before=$(packages_sum)
  (
    directory=$(mktemp -d)
    trap 'rm -rf -- "$directory"' EXIT
    trap 'exit 1' HUP INT
    # half of a transaction is worse than none or all of it
    trap '' TERM
    # apt reads it as another user
    chmod 755 "$directory"
    package=$directory/package.$3
    content "$package" >"$package"
    package_install "$package"
    package_satisfied "$2" || fail "the file is not of the package $2"
  )
  if [ "$(packages_sum)" != "$before" ]; then changed; fi
}

# debconf_set PACKAGE QUESTION TYPE VALUE: the answer to a question that the package asks when it is installed. The value may be a secret.
debconf_set() {
  command -v debconf-communicate >/dev/null || fail "there is no debconf on this node; install it with package(\"debconf\") before"
  if debconf_is "$1" "$2" "$4"; then return; fi
  said=$(printf '%s %s %s %s\n' "$1" "$2" "$3" "$4" | debconf-set-selections 2>&1) || fail "debconf refused the answer to $2"
  debconf_is "$1" "$2" "$4" || fail "debconf did not take the answer to $2; is $3 its type?"
  changed
}

# pacman_database VERSION: the database of pacman has at least this version
pacman_database() {
  file=/var/lib/pacman/local/ALPM_DB_VERSION version=''
  if [ -r "$file" ]; then read -r version <"$file" || :; fi
  if [ -z "$version" ] || [ "$version" -ge "$1" ]; then return; fi
  quietly pacman-db-upgrade
  changed
}

# armored_key FILE: a key of OpenPGP becomes text; what is no key is refused
armored_key() {
  case $(od -A n -t u1 -N 1 "$1" | tr -d ' ') in
    12[89] | 1[3-9]? | 2??)
      key=$(base64 -w 64 <"$1")
      printf '%s\n' '-----BEGIN PGP PUBLIC KEY BLOCK-----' '' "$key" '-----END PGP PUBLIC KEY BLOCK-----' >"$1"
      ;;
    *) grep -q -e '-----BEGIN PGP PUBLIC KEY BLOCK-----' "$1" || fail "what was downloaded is not a key of OpenPGP" ;;
  esac
}

# package_lists_update MANAGER MAX-AGE: fetches the lists of packages if they are older, in seconds
package_lists_update() {
  manager=$1 options=''
  age=$(package_lists_age "$manager")
  if [ -z "$age" ] || [ "$age" -ge "$2" ]; then
    package_refresh
    changed
  fi
}

# package_upgrade_all MANAGER: the newest version of everything
package_upgrade_all() {
  manager=$1 options=''
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

# package_hold MANAGER NAME HELD: the package stays in its version whatever is upgraded, if HELD is yes, or not, if it is no
package_hold() {
  manager=$1
  if package_is_held "$2"; then held=yes; else held=no; fi
  if [ "$held" = "$3" ]; then return; fi
  if [ "$3" = yes ]; then quietly apt-mark hold -- "$2"; else quietly apt-mark unhold -- "$2"; fi
  changed
}

package_is_held() {
  case $(dpkg-query -W -f '${db:Status-Want}\n' "$1" 2>/dev/null) in *hold*) ;; *) return 1 ;; esac
}

# package_release MANAGER NAME[=VERSION]: what is held in another version than this is held no more
package_release() {
  manager=$1
  if package_is_held "${2%%=*}" && ! package_satisfied "$2"; then package_hold "$1" "${2%%=*}" no; fi
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
    apt-install) apt_get --allow-downgrades $install_options install $(apt_versions "$@") ;;
    apt-remove) apt_get remove "$@" ;;
    apt-purge) apt_get purge "$@" ;;
    apt-upgrade_all) apt_get --with-new-pkgs upgrade ;;
    dnf-refresh) quietly dnf -y -q $options makecache --refresh ;;
    yum-refresh) quietly yum -y -q $options makecache ;;
    dnf-install | yum-install) rpm_install "$@" ;;
    dnf-remove | dnf-purge | yum-remove | yum-purge) quietly "$manager" -y -q remove "$@" ;;
    dnf-upgrade_all | yum-upgrade_all) quietly "$manager" -y -q upgrade ;;
    zypper-refresh) zypper_call refresh ;;
    zypper-install) zypper_call install --oldpackage --auto-agree-with-licenses $install_options "$@" ;;
    zypper-remove | zypper-purge) zypper_call remove "$@" ;;
    zypper-upgrade_all) zypper_call update --auto-agree-with-licenses ;;
    pacman-refresh) patiently 'unable to lock database' pacman -Sy --noconfirm --noprogressbar ;;
    pacman-install) patiently 'unable to lock database' pacman -S --noconfirm --noprogressbar --needed "$@" ;;
    pacman-remove) patiently 'unable to lock database' pacman -R --noconfirm --noprogressbar "$@" ;;
    pacman-purge) patiently 'unable to lock database' pacman -Rn --noconfirm --noprogressbar "$@" ;;
    pacman-upgrade_all) patiently 'unable to lock database' pacman -Syu --noconfirm --noprogressbar ;;
    apk-refresh) quietly apk --wait 60 $options update ;;
    apk-install) quietly apk --wait 60 $options add --upgrade $(apk_versions "$@") ;;
    apk-remove) quietly apk --wait 60 del "$@" ;;
    apk-purge) quietly apk --wait 60 del --purge "$@" ;;
    apk-upgrade_all) quietly apk --wait 60 upgrade ;;
    *) fail "there is no package manager that can $verb: $manager" ;;
  esac
}

# apt would take an unknown name that looks like a pattern for one (Pattern-Only), and ask about changed configuration files
apt_get() {
  # apt waits for dpkg's lock, but not for that of the lists or of what it has fetched
  patiently 'Could not get lock' env DEBIAN_FRONTEND=noninteractive APT_LISTCHANGES_FRONTEND=none NEEDRESTART_MODE=l \
    apt-get -y -q -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold -o DPkg::Lock::Timeout=60 \
    -o APT::Cmd::Pattern-Only=true $options "$@"
}

# patiently BUSY COMMAND...: quietly, and again for a minute while it fails and says BUSY
patiently() {
  busy=$1 waited=0
  shift
  while :; do
    # its output goes to a file, so nothing that it leaves behind holds this pipe open
    status=0
    said=$(quietly "$@" 2>&1) || status=$?
    if [ "$status" = 0 ] || [ "$waited" -ge 60 ]; then break; fi
    case $said in *"$busy"*) ;; *) break ;; esac
    waited=$((waited + 1))
    sleep 1
  done
  [ "$status" = 0 ] || printf '%s\n' "$said" >&2
  return "$status"
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
    # its tag stands behind the name
    case $word in
      *[=~]*) word=${word%%[=~]*}$install_options${word#"${word%%[=~]*}"} ;;
      *) word=$word$install_options ;;
    esac
    printf '%s\n' "$word"
  done
}

# dnf and yum write name-version, and upgrade nothing that is installed when told to install it
rpm_install() {
  new='' old=''
  for word do
    case $word in
      /*) new="$new $word" ;; # a file
      *=*) new="$new ${word%%=*}-${word#*=}" ;;
      *) if [ -n "$(package_versions "$word")" ]; then old="$old $word"; else new="$new $word"; fi ;;
    esac
  done
  [ -z "$new" ] || quietly "$manager" -y -q $options install $new || return
  [ -z "$old" ] || quietly "$manager" -y -q $options upgrade $old
}

# zypper tells with codes from 100 what to do next: reboot, restart, repositories that were skipped
zypper_call() {
  log=$(mktemp)
  status=0
  ZYPP_LOCK_TIMEOUT=60 zypper --non-interactive --quiet $options "$@" >"$log" 2>&1 </dev/null || status=$?
  case $status in
    0 | 100 | 101 | 102 | 103 | 106) status=0 ;;
    *) [ -n "${unsaid-}" ] || tail -n 40 -- "$log" >&2 ;;
  esac
  rm -f -- "$log"
  return "$status"
}
