# Which packages come and go along with others. `packages` was called before.

# packages_to_come MANAGER NAME...: which packages come when those of them are installed that are not there, as the package manager's simulation
# says, if it is this one or none is named. It writes nothing and fetches nothing; what it does not know is left open. Names that are in none of its
# lists are told with the age of the lists.
packages_to_come() {
  asked_of "$@" || return 0
  for name in $asked; do
    case $nl$installed in
      *"$nl${name%%:*} installed "*) ;;
      *) package_is_there "$name" || missing="$missing $name" ;;
    esac
  done
  [ -n "$missing" ] || return 0
  case $packages in
    apt) apt_to_come ;;
    # one at a time, since they do not say which of those that are asked for come along with another
    dnf | yum | zypper) each_to_come simulated ;;
    pacman | apk) each_to_come coming '' ;;
  esac
}

apt_to_come() {
  come='' needs=''
  apt_options
  if ! simulated=$(LC_ALL=C apt-get -s -q $options install $missing 2>&1); then
    # what nothing is known of now is left out
    for name in $(printf '%s\n' "$simulated" | sed -n 's/^E: Unable to locate package //p'); do
      unlisted "$name"
      missing=" $missing " missing=${missing%%" $name "*}" "${missing#*" $name "}
    done
    case $missing in *[!\ ]*) ;; *) return 0 ;; esac
    simulated=$(LC_ALL=C apt-get -s -q $options install $missing 2>/dev/null) || return 0
  fi
  # what goes for it to come may have done anything
  case $nl$simulated in *"${nl}Remv "*) return 0 ;; esac
  come=$(printf '%s\n' "$simulated" | sed -n 's/^Inst \([^ ]*\) .*/\1/p')
  set -- $missing
  if [ $# -gt 1 ] && [ -n "$come" ]; then needs=$(LC_ALL=C apt-cache $options depends $come 2>/dev/null) || needs=''; fi
  [ -z "$come" ] || answer coming "$missing" "$come" "$needs"
}

# unlisted NAME: no list has it. Where there are no lists, that says nothing.
unlisted() {
  [ -n "${age-}" ] || age=$(package_lists_age "$packages")
  [ -z "$age" ] || answer unlisted "$1" "$age"
}

# each_to_come FIELD...: answers FIELD, NAME and what the simulation says of each missing package, for as long as half a minute
each_to_come() (
  field=$1 began=$(date +%s)
  shift
  copy_lists || return 0
  for name in $missing; do
    [ $(($(date +%s) - began)) -lt 30 ] || break
    if said=$("${packages}_simulation" "$name" 2>/dev/null); then
      answer "$field" "$name" "$said" "$@"
    else
      case $said in
        # what is not looked at may have it
        *'no cache for'*) ;;
        *"No match for argument: $name"* | *"No package $name available"* | *"No provider of &apos;$name&apos; found"* | \
          *"target not found: $name"* | *"$name (no such package)"*) unlisted "$name" ;;
      esac
    fi
  done
)

pacman_simulation() {
  pacman -Sp --print-format %n -- "$1" || {
    pacman -Sp -- "$1" 2>&1
    return 1
  }
}

apk_simulation() {
  said=$(apk add --simulate --no-network -- "$1" 2>&1) || {
    printf '%s\n' "$said"
    return 1
  }
  printf '%s\n' "$said" | sed -n 's/^([0-9]*\/[0-9]*) [A-Z][a-z]* \([^ ]*\) .*/\1/p'
}

# dnf says no by itself; `-C` and the links keep it from fetching and from writing elsewhere
dnf_simulation() {
  case $(readlink -f "$(command -v "$packages")") in
    *dnf5) set -- "--setopt=system_cachedir=$copied/libdnf5" --setopt="cachedir=$copied/libdnf5" install "$1" ;;
    *dnf*) set -- --setopt="cachedir=$copied/dnf" install "$1" ;;
    *) set -- --setopt="cachedir=$copied/yum/\$basearch/\$releasever" install "$1" ;;
  esac
  said=$(TMPDIR=$copied timeout 30 "$packages" -C --assumeno --setopt=plugins=0 --setopt="logdir=$copied" --setopt="persistdir=$copied" "$@" 2>&1 |
    head -c 200000)
  printf '%s\n' "$said"
  case $said in *'Transaction Summary'*) ;; *) return 1 ;; esac
}

yum_simulation() { dnf_simulation "$1"; }

zypper_simulation() {
  said=$(ZYPP_LOGFILE=/dev/null ZYPP_READONLY_HACK=1 timeout 30 zypper --non-interactive --no-refresh --xmlout --cache-dir "$copied" \
    install --dry-run --auto-agree-with-licenses "$1" 2>&1 | head -c 200000)
  printf '%s\n' "$said"
  case $said in *'<install-summary'*) ;; *) return 1 ;; esac
}

# copy_lists: makes a directory of links to the lists that are there, for what the simulations of rpm's package managers write; fails where lists are
# missing, which they would fetch
copy_lists() {
  case $packages in
    dnf | yum) set -- /var/cache/libdnf5 /var/cache/dnf /var/cache/yum ;;
    zypper)
      set -- /var/cache/zypp/raw /var/cache/zypp/solv
      for file in /etc/zypp/repos.d/*.repo; do
        if grep -q '^enabled *= *0' "$file"; then continue; fi
        alias=$(sed -n 's/^\[\(.*\)\].*/\1/p' "$file")
        [ -e "/var/cache/zypp/solv/$alias/solv" ] || return
      done
      ;;
    *) return 0 ;;
  esac
  [ -n "$(package_lists_age "$packages")" ] && copied=$(mktemp -d) || return
  trap 'rm -rf -- "$copied"' EXIT
  trap 'exit 143' HUP INT TERM
  for lists do
    if [ -d "$lists" ]; then cp -rs -- "$lists" "$copied" 2>/dev/null; fi
  done
  return 0
}

# packages_to_go MANAGER NAME...: which packages go when those of them are removed that are there
packages_to_go() {
  [ "$packages" = apt ] || return 0
  asked_of "$@" || return 0
  for name in $asked; do
    case $nl$installed in *"$nl${name%%:*} installed "*) missing="$missing $name" ;; esac
  done
  [ -n "$missing" ] || return 0
  apt_options
  go=$(LC_ALL=C apt-get -s -q $options remove $missing 2>/dev/null | sed -n 's/^\(Remv\|Purg\) \([^ ]*\) .*/\2/p')
  [ -z "$go" ] || answer leaving "$missing" "$go"
}

# asked_of MANAGER NAME...: sets asked to the names, and missing to nothing; fails if another package manager is meant
asked_of() {
  case $1 in
    '' | "$packages") ;;
    # one has the other's packages
    dnf | yum) case $packages in dnf | yum) ;; *) return 1 ;; esac ;;
    *) return 1 ;;
  esac
  shift
  asked=$* missing=''
}

package_is_there() {
  case $packages in
    apt) return 1 ;; # what is not among the installed ones is not there
    dnf | yum | zypper) rpm -q "$1" >/dev/null 2>&1 ;;
    pacman) pacman -Q "$1" >/dev/null 2>&1 ;;
    apk) apk info -e "$1" >/dev/null 2>&1 ;;
  esac
}

# apt_options: sets options to such that nothing is written: the cache is used where it is as new as what it is made of
apt_options() {
  options='-o Debug::NoLocking=true -o APT::Cmd::Pattern-Only=true -o Dir::Log::Planner= -o Dir::Log::Solver='
  for cache in pkgcache srcpkgcache; do
    file=/var/cache/apt/$cache.bin
    for source in /var/lib/apt/lists /var/lib/dpkg/status /etc/apt/sources.list /etc/apt/sources.list.d /etc/apt/sources.list.d/* /etc/apt/preferences.d; do
      if [ ! -e "$file" ] || [ "$source" -nt "$file" ]; then
        options="$options -o Dir::Cache::$cache="
        break
      fi
    done
  done
}
