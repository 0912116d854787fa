# reboot_soon: this node reboots when the script had time to end. What does it belongs to no session, so that nothing ends it together with the script.
reboot_soon() {
  if [ "$uid" != 0 ]; then fail 'only root can reboot the node'; fi
  set -- sh -c 'trap "" HUP; sleep 2; systemctl reboot || reboot || shutdown -r now'
  if command -v setsid >/dev/null 2>&1; then set -- setsid "$@"; fi
  "$@" >/dev/null 2>&1 </dev/null &
  changed
}
