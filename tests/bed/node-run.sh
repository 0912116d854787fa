#!/bin/sh
# node-run.sh NETNS NAME ...   supervises one node: starts its init in new namespaces, and again after a reboot
# (reboot(2) in a pid namespace ends its init with SIGHUP, poweroff with SIGINT)
netns=$1
shift
while :; do
  nsenter --net="/run/netns/$netns" unshare --mount --propagation private --pid --uts --ipc --fork --kill-child "${0%/*}/node-init.sh" "$@"
  [ $? -eq 129 ] || exit
done
