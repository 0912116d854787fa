# What is known of the kernel's modules. Names have `_` where they may have `-`.

# listed_module NAME FILE: whether a file of the running kernel's modules lists the module
listed_module() {
  list=/lib/modules/$(uname -r)/$2
  [ -r "$list" ] && sed 's/:.*//; s|.*/||; s/\.ko.*//; y/-/_/' "$list" | grep -qx -- "$1"
}

# module_state NAME: sets state to `loaded`, `built-in` or `missing`
module_state() {
  state=missing
  if [ -e "/sys/module/$1/initstate" ] || grep -q "^$1 " /proc/modules 2>/dev/null; then
    state=loaded
  elif [ -d "/sys/module/$1" ] || listed_module "$1" modules.builtin; then
    state=built-in
  fi
}

# may_not_change_modules: prints why this node's modules cannot be changed from here, or nothing
may_not_change_modules() {
  rights=1
  if [ -r /proc/self/status ]; then
    while read -r key value; do
      # CAP_SYS_MODULE is bit 16
      case $key:$value in CapEff:*[02468ace]????) rights='' ;; esac
    done </proc/self/status
  fi
  # root of a user namespace is not that of the kernel
  if [ -r /proc/self/uid_map ]; then
    read -r inside outside count </proc/self/uid_map
    if [ "$inside $outside $count" != '0 0 4294967295' ]; then rights=''; fi
  fi
  if [ -z "$rights" ] && [ "$(id -u)" = 0 ]; then
    echo 'it may not change the kernel that it runs on, as in a container; declare this for the machine that it runs on'
  elif [ -z "$rights" ]; then
    echo 'Pallet is not root there'
  elif [ ! -e /proc/modules ]; then
    echo 'its kernel has no loadable modules'
  elif ! command -v modprobe >/dev/null; then
    echo 'it has no modprobe; declare package("kmod") before'
  fi
}

# module_lacks NAME: prints why the module cannot be loaded, or nothing
module_lacks() {
  lacks=$(may_not_change_modules)
  if [ -n "$lacks" ]; then
    echo "$lacks"
  elif [ ! -r "/lib/modules/$(uname -r)/modules.dep" ]; then
    echo "it has no /lib/modules/$(uname -r)/modules.dep; if its kernel was upgraded, reboot it"
  elif ! listed_module "$1" modules.dep; then
    echo "its kernel $(uname -r) has no module of that name; check the name, or install the package that has it"
  fi
}

# told_of_module HOW NAME OURS: prints the files other than OURS that have the module loaded when the node starts (HOW is `boot`), or that
# keep it from that (`blacklist`)
told_of_module() {
  told_how=$1 told_name=$2 told_ours=$3
  if [ "$1" = boot ]; then
    set -- modules-load.d /etc/modules
  else
    set -- modprobe.d
  fi
  told_in=$1
  shift
  for file in "$@" /etc/"$told_in"/*.conf /run/"$told_in"/*.conf /usr/local/lib/"$told_in"/*.conf /usr/lib/"$told_in"/*.conf /lib/"$told_in"/*.conf; do
    if [ ! -f "$file" ] || [ "$file" = "$told_ours" ]; then continue; fi
    case $file in
      /etc/*) ;;
      # a file of the same name in /etc takes its place
      *) if [ "/etc/$told_in/${file##*/}" != "$told_ours" ] && [ -e "/etc/$told_in/${file##*/}" ]; then continue; fi ;;
    esac
    if awk -v how="$told_how" -v name="$told_name" '
      /^[ \t]*[#;]/ { next }
      how == "boot" || $1 == how { is = how == "boot" ? $1 : $2; gsub(/-/, "_", is); if (is == name) found = 1 }
      END { exit !found }
    ' <"$file"; then
      printf '%s\n' "$file"
    fi
  done
}
