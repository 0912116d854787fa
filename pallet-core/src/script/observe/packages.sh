# Which of some packages are installed, in the words of the package manager.

packages() {
  case $packages in
    apt) answer packages "$(dpkg-query -W -f '${Package} ${Architecture} ${db:Status-Status} ${Version}\n' "$@" 2>/dev/null)" ;;
    dnf | yum | zypper) answer packages "$(rpm -q --qf '%{NAME} %{ARCH} installed %|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}\n' "$@" 2>/dev/null)" ;;
    pacman) answer packages "$(pacman -Q "$@" 2>/dev/null)" ;;
    apk) answer packages "$(apk info -e -v "$@" 2>/dev/null)" ;;
  esac
}
