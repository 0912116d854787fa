# rc_links NAME: prints whether the init script NAME starts with the node: yes, no, or unknown where there are no runlevels
rc_links() {
  levels=unknown
  for link in /etc/rc[2345].d /etc/rc.d/rc[2345].d /etc/runlevels; do
    if [ -d "$link" ]; then levels=no; fi
  done
  for link in /etc/rc[2345].d/S[0-9][0-9]"$1" /etc/rc.d/rc[2345].d/S[0-9][0-9]"$1" /etc/runlevels/*/"$1"; do
    if [ -e "$link" ]; then levels=yes; fi
  done
  echo "$levels"
}

# init_status COMMAND...: prints whether it says that something runs; scripts that know no `status` end with something else than 0
init_status() {
  if "$@" </dev/null >/dev/null 2>&1; then echo yes; else echo no; fi
}
