# unit_of NAME: sets unit to the systemd unit that a service's name stands for
unit_of() {
  case $1 in
    *.service | *.socket | *.device | *.mount | *.automount | *.swap | *.target | *.path | *.timer | *.slice | *.scope) unit=$1 ;;
    *) unit=$1.service ;;
  esac
}
