# apt_provides NAME: succeeds if NAME is no package of its own, and an installed one provides it
apt_provides() {
  if [ -z "${provided-}" ]; then
    provided=$(dpkg-query -W -f '${db:Status-Status} ${Provides},\n' | sed -n 's/^installed /, /p')
  fi
  case $provided in
    # asking apt is slow, so that is done last
    *", $1,"* | *", $1 ("*) [ -z "$(apt-cache show "$1" 2>/dev/null)" ] ;;
    *) return 1 ;;
  esac
}
