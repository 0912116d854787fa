#!/bin/sh
# firewall-firewalld NAME FILE: refuses a FILE that firewalld would not accept as the policy object
# NAME
set -eu
PATH=$PATH:/usr/sbin:/sbin
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
trap 'exit 1' HUP INT TERM
cp -R /etc/firewalld "$work/firewalld"
mkdir -p -- "$work/firewalld/policies"
cp -- "$2" "$work/firewalld/policies/$1.xml"
said=$(firewall-offline-cmd --system-config "$work/firewalld" --check-config 2>&1) || {
  printf '%s\n' "$said" >&2
  exit 1
}
