#!/bin/sh
# sshd-configuration check NAME ADMIN KEYS FORCE FILE: refuses a FILE that sshd would not accept as
# /etc/ssh/sshd_config.d/NAME, or after which the user ADMIN, who can log in now, could not any
# more. KEYS: `yes` if ADMIN logs in with a key; that is so too if the node has one of ADMIN's.
# FORCE: `yes` lets ADMIN be locked out.
# sshd-configuration include: lets sshd_config include /etc/ssh/sshd_config.d, before all else.
set -eu
PATH=$PATH:/usr/sbin:/sbin
parts=/etc/ssh/sshd_config.d
config=/etc/ssh/sshd_config
# systems whose own file is not in /etc
if [ ! -e "$config" ] && [ -e /usr/etc/ssh/sshd_config ]; then config=/usr/etc/ssh/sshd_config; fi
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
trap 'exit 1' HUP INT TERM
# without it, sshd does not even check
if [ ! -d /run/sshd ]; then mkdir -m 0755 /run/sshd; fi

# copy DIRECTORY: copies the configuration there, so that it includes its own copies of the parts
copy() {
  mkdir -p -- "$1/parts"
  for part in "$parts"/*.conf; do
    if [ -e "$part" ]; then cp -- "$part" "$1/parts/"; fi
  done
  sed "s|^\([[:space:]]*[Ii][Nn][Cc][Ll][Uu][Dd][Ee][[:space:]].*\)$parts/|\1$1/parts/|" <"$config" >"$1/old"
  if ! grep -q "$1/parts/" "$1/old"; then echo "Include $1/parts/*.conf" >"$1/sshd_config"; fi
  cat -- "$1/old" >>"$1/sshd_config"
}

# accepted DIRECTORY: sshd accepts the configuration there
accepted() {
  said=$(sshd -t -f "$1/sshd_config" 2>&1) || {
    printf '%s\n' "$said" | sed -e "s|$1/parts/|$parts/|g" -e "s|$1/sshd_config|$config|g" >&2
    exit 1
  }
}

# value KEY: the values of a setting that is in effect, one a line
value() {
  printf '%s\n' "$effective" | sed -n "s/^$1 //p"
}

# matches NAMES KEY: one of the names matches a value of the setting. What is behind an @ is the
# address of the user's machine, which is not known here.
matches() {
  for pattern in $(value "$2"); do
    for name in $1; do
      # shellcheck disable=SC2254
      case $name in ${pattern%@*}) return 0 ;; esac
    done
  done
  return 1
}

# effect DIRECTORY: sets effective to the settings for the admin user, from where Pallet connects
effect() {
  address=${SSH_CONNECTION:-127.0.0.1 0} address=${address%% *}
  effective=$(sshd -T -f "$1/sshd_config" -C "user=$admin,host=$address,addr=$address,laddr=$address,lport=22" 2>/dev/null) ||
    effective=$(sshd -T -f "$1/sshd_config" -C "user=$admin,host=$address,addr=$address")
}

# reason DIRECTORY: prints why the admin user could not log in with the configuration there
reason() {
  set -f
  effect "$1"
  groups=$(id -Gn -- "$admin")
  if matches "$admin" denyusers; then echo "DenyUsers names $admin"; fi
  if [ -n "$(value allowusers)" ] && ! matches "$admin" allowusers; then echo "AllowUsers does not name $admin"; fi
  if matches "$groups" denygroups; then echo "DenyGroups names a group of $admin"; fi
  if [ -n "$(value allowgroups)" ] && ! matches "$groups" allowgroups; then echo "AllowGroups names no group of $admin"; fi
  case $(value pubkeyauthentication)$(value passwordauthentication)$(value kbdinteractiveauthentication) in
    yes*) ;;
    *yes*) if [ "$keys" = yes ]; then echo "PubkeyAuthentication is off"; fi ;;
    *) echo "all methods of authentication are off" ;;
  esac
  single=
  for method in $(value authenticationmethods); do
    case $method in
      any) single=1 ;;
      *,*) ;;
      publickey*) single=1 ;;
      *) if [ "$keys" != yes ]; then single=1; fi ;;
    esac
  done
  if [ -z "$single" ]; then echo "AuthenticationMethods asks for more than a key"; fi
  if [ "$(id -u -- "$admin")" = 0 ]; then
    case $(value permitrootlogin) in
      no) echo "PermitRootLogin is no" ;;
      forced-commands-only) echo "PermitRootLogin is forced-commands-only" ;;
      prohibit-password | without-password) if [ "$keys" != yes ]; then echo "PermitRootLogin needs a key"; fi ;;
    esac
  fi
  case $(value forcecommand) in none | '') ;; *) echo "ForceCommand runs another command" ;; esac
  case $(value chrootdirectory) in none | '') ;; *) echo "ChrootDirectory is set" ;; esac
  if [ "$keys" = yes ] && ! has_key; then echo "no file of AuthorizedKeysFile has a key of $admin"; fi
  case $(value listenaddress) in
    '' | *0.0.0.0:* | *'[::]:'*) ;;
    *) if ! value listenaddress | grep -qv -e '^127\.' -e '^\[::1\]'; then echo "ListenAddress is only this machine"; fi ;;
  esac
}

has_key() {
  case $(value authorizedkeyscommand)$(value trustedusercakeys) in none | nonenone | '') ;; *) return 0 ;; esac
  home=$(sed -n "s/^$admin:[^:]*:[^:]*:[^:]*:[^:]*:\([^:]*\):.*/\1/p" /etc/passwd)
  for file in $(value authorizedkeysfile | sed -e "s|%h|$home|g" -e "s|%u|$admin|g"); do
    case $file in /*) ;; *) file=$home/$file ;; esac
    if [ -s "$file" ]; then return 0; fi
  done
  return 1
}

case $1 in
  include)
    copy "$work"
    if [ ! -e /etc/ssh/sshd_config ] && [ "$config" != /etc/ssh/sshd_config ]; then cp -- "$config" /etc/ssh/sshd_config; fi
    accepted "$work"
    { echo "Include $parts/*.conf"; cat -- "$config"; } >"$work/new"
    cat -- "$work/new" >/etc/ssh/sshd_config
    ;;
  check)
    name=$2 admin=$3 keys=$4 force=$5 file=$6
    mkdir -- "$work/old" "$work/new"
    copy "$work/new"
    cp -- "$file" "$work/new/parts/$name"
    accepted "$work/new"
    if [ "$force" = yes ] || ! id -- "$admin" >/dev/null 2>&1; then exit 0; fi
    # who cannot log in over ssh now is not locked out
    copy "$work/old"
    if ! sshd -t -f "$work/old/sshd_config" 2>/dev/null; then exit 0; fi
    effect "$work/old"
    if has_key; then keys=yes; fi
    if [ -n "$(reason "$work/old")" ]; then exit 0; fi
    why=$(reason "$work/new")
    if [ -n "$why" ]; then
      printf '%s: %s could not log in any more; with force = True it takes its place all the same\n' "$why" "$admin" >&2
      exit 1
    fi
    effect "$work/old"
    before=$(value port)
    effect "$work/new"
    for port in $before; do
      if value port | grep -qx "$port"; then exit 0; fi
    done
    printf 'sshd would not listen on port %s any more, where Pallet connects; keep it beside the new one, or let it go with force = True\n' "$before" >&2
    exit 1
    ;;
esac
