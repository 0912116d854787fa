#!/bin/sh
# firewall-nftables rule NAME FILE: refuses a FILE that nft would not load as the rule NAME,
# together with all others.
# firewall-nftables policies closes|open PORTS FROM FILE: the same for the file that includes them.
# If it closes what no rule opens, PORTS must have a port of sshd, and FROM, if there is any, the
# address that Pallet connects from.
set -eu
PATH=$PATH:/usr/sbin:/sbin
main=/etc/nftables/pallet.nft parts=/etc/nftables/pallet.d
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
trap 'exit 1' HUP INT TERM

# is_in ADDRESS NETWORK: whether a network has an address, both of IPv4
is_in() {
  bits=${2#*/}
  if [ "$bits" = "$2" ]; then bits=32; fi
  one=$(number "$1") other=$(number "${2%/*}")
  [ "$bits" = 0 ] || [ $(((one ^ other) >> (32 - bits))) = 0 ]
}

number() {
  rest=$1 sum=0
  for _ in 1 2 3 4; do
    sum=$((sum * 256 + ${rest%%.*}))
    rest=${rest#*.}
  done
  echo "$sum"
}

for other in ufw firewalld; do
  if systemctl is-active --quiet "$other" 2>/dev/null; then
    case $(systemctl show -P SubState "$other") in
      running) ;;
      # ufw is a unit that has exited; it may be off all the same
      *) if ! ufw status 2>/dev/null | grep -q '^Status: active'; then continue; fi ;;
    esac
    echo "$other runs the firewall of this node; call firewall.settings with backend = \"$other\", or stop it before" >&2
    exit 1
  fi
done

mkdir "$work/parts"
for part in "$parts"/*.nft; do
  if [ -e "$part" ]; then cp -- "$part" "$work/parts/"; fi
done
case $1 in
  rule)
    cp -- "$3" "$work/parts/$2"
    if [ -e "$main" ]; then
      cp -- "$main" "$work/main"
    else
      # the policies come later
      printf '%s\n' 'table inet pallet {' "include \"$parts/*.nft\"" '}' >"$work/main"
    fi
    ;;
  policies)
    cp -- "$5" "$work/main"
    if [ "$2" = closes ] && listens=$(sshd -T 2>/dev/null | sed -n 's/^port //p') && [ -n "$listens" ]; then
      open=
      for port in $listens; do
        case " $3 " in *" $port "*) open=1 ;; esac
      done
      if [ -z "$open" ]; then
        echo "sshd listens on port $listens, which would be closed; name it in ssh_ports of firewall.settings" >&2
        exit 1
      fi
    fi
    address=${SSH_CONNECTION:-} address=${address%% *}
    case $2$4 in
      closes?*)
        case $address in
          '' | *:*) ;;
          *)
            found=
            for network in $4; do
              case $network in
                *:*) ;;
                *) if is_in "$address" "$network"; then found=1; fi ;;
              esac
            done
            if [ -z "$found" ]; then
              echo "Pallet connects from $address, which ssh_from of firewall.settings does not have" >&2
              exit 1
            fi
            ;;
        esac
        ;;
    esac
    ;;
esac
sed "s|\"$parts/|\"$work/parts/|" <"$work/main" >"$work/all"
said=$(nft -c -f "$work/all" 2>&1) || {
  printf '%s\n' "$said" | sed -e "s|$work/parts/|$parts/|g" -e "s|$work/all|$main|g" >&2
  exit 1
}
