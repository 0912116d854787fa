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
