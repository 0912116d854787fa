# Functions for the time zone and the modules of the kernel.

# require_time_zone NAME: fails if the node does not have the zone
require_time_zone() {
  if [ ! -f "/usr/share/zoneinfo/$1" ]; then
    fail "there is no time zone $1 on this node: no /usr/share/zoneinfo/$1; check its name, or declare package(\"tzdata\") before it"
  fi
}

# ensure_time_zone NAME: /etc/localtime leads to the zone; systemd writes relative links
ensure_time_zone() {
  if [ -L /etc/localtime ]; then
    case $(readlink -n -- /etc/localtime && printf x) in
      "/usr/share/zoneinfo/${1}x" | "../usr/share/zoneinfo/${1}x") return ;;
    esac
  fi
  ensure_link /etc/localtime "/usr/share/zoneinfo/$1" force
}

# require_module_files HOW NAME OURS: no other file than OURS tells of the module: see told_of_module
require_module_files() {
  found=$(told_of_module "$@")
  if [ -z "$found" ]; then return; fi
  file=${found%%"$newline"*}
  if [ "$1" = boot ]; then
    fail "$file loads the kernel module $2 when the node starts; remove it there before"
  else
    fail "$file blacklists the kernel module $2, so it would not be loaded when the node starts; remove it there before"
  fi
}

# require_no_builtin NAME: the module is not a part of the kernel
require_no_builtin() {
  module_state "$1"
  if [ "$state" = built-in ]; then
    fail "$1 is built into the kernel of this node: it cannot be unloaded, and takes its parameters from the kernel's command line alone"
  fi
}

# ensure_module NAME: the module is loaded
ensure_module() {
  module_state "$1"
  if [ "$state" != missing ]; then return; fi
  lacks=$(module_lacks "$1")
  if [ -n "$lacks" ]; then fail "this node cannot load the kernel module $1: $lacks"; fi
  said=$(modprobe "$1" 2>&1) || fail "cannot load the kernel module $1: $(one_line "$said")"
  module_state "$1"
  if [ "$state" = missing ]; then fail "modprobe succeeded, but the kernel module $1 is not loaded; does /etc/modprobe.d have an install line for it?"; fi
  changed
}

# ensure_no_module NAME: the module is not loaded
ensure_no_module() {
  require_no_builtin "$1"
  if [ "$state" = missing ]; then return; fi
  lacks=$(may_not_change_modules)
  if [ -n "$lacks" ]; then fail "this node cannot unload the kernel module $1: $lacks"; fi
  said=$(modprobe -r "$1" 2>&1) || fail "cannot unload the kernel module $1: $(one_line "$said")"
  module_state "$1"
  if [ "$state" != missing ]; then fail "modprobe succeeded, but the kernel module $1 is still loaded; does /etc/modprobe.d have a remove line for it?"; fi
  changed
}

# unload_for_options NAME FILE TEXT: if the file with its options does not have this text yet, the module is not loaded; what follows writes the file, and
# loads the module. A run that ends in between leaves it to the next one.
unload_for_options() {
  # the x keeps newlines at the end
  if [ "$({ cat "$2" 2>/dev/null || :; } && printf x)" = "$3x" ]; then return; fi
  module_state "$1"
  if [ "$state" = loaded ]; then ensure_no_module "$1"; fi
}
