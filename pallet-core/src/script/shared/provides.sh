# apt_provides NAME: succeeds if NAME is no package of its own, and an installed one provides it
apt_provides() {
  # what no package in dpkg's list speaks of costs one process for all names
  if [ -z "${provides-}" ] && [ -r /var/lib/dpkg/status ]; then
    provides=" $(grep '^Provides:' /var/lib/dpkg/status)" || :
  fi
  case ${provides-"$1"} in *"$1"*) ;; *) return 1 ;; esac
  if [ -z "${provided-}" ]; then
    provided=$(dpkg-query -W -f '${db:Status-Status} ${Provides},\n' | sed -n 's/^installed /, /p')
  fi
  case $provided in
    # asking apt is slow, so that is done last
    *", $1,"* | *", $1 ("*) [ -z "$(apt-cache show "$1" 2>/dev/null)" ] ;;
    *) return 1 ;;
  esac
}
