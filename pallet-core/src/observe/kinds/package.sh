# Which of some packages are installed, in the words of the package manager.

packages() {
  case $packages in
    apt)
      installed=$(dpkg-query -W -f '${Package} ${db:Status-Status} ${Architecture} ${Version}\n' "$@" 2>/dev/null)
      answer packages "$installed"
      for name do
        case $nl$installed in
          *"$nl${name%%:*} installed "*) ;;
          *) if apt_provides "$name"; then answer provided "$name"; fi ;;
        esac
      done
      ;;
    dnf | yum | zypper)
      installed=$(rpm -q --qf '%{NAME} installed %{ARCH} %|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}\n' "$@" 2>/dev/null)
      answer packages "$installed"
      ;;
    pacman) answer packages "$(pacman -Q "$@" 2>/dev/null)" ;;
    apk) answer packages "$(apk info -e -v "$@" 2>/dev/null)" ;;
  esac
}
