#!/bin/sh
# firewall-ufw apply: brings ufw's rules to those of /etc/ufw/pallet.d, and turns it on.
# firewall-ufw is-applied: whether there is nothing to do; changes nothing.
set -eu
PATH=$PATH:/usr/sbin:/sbin
rules=/etc/ufw/pallet.d

# wanted: prints the rules that are declared, each after the mark by which it is recognised. The
# mark has the rule's place, because ufw applies rules in their order.
wanted() {
  place=0
  for file in "$rules"/*.rules; do
    if [ ! -e "$file" ]; then continue; fi
    while IFS= read -r line; do
      if [ -z "$line" ]; then continue; fi
      place=$((place + 1))
      printf 'pallet-%s-%s %s\n' "$place" "$(printf %s "$line" | cksum | cut -d ' ' -f 1)" "$line"
    done <"$file"
  done
}

# there: prints the rules that are Pallet's already, after their marks, in their order
there() {
  ufw show added 2>/dev/null | sed -n "s/^ufw \(.*\) comment '\(pallet-[0-9]*-[0-9]*\)'\$/\2 \1/p"
}

marks() {
  cut -d ' ' -f 1
}

# policy WORD: prints the policy that is set
policy() {
  case $1 in
    incoming) key=DEFAULT_INPUT_POLICY ;;
    outgoing) key=DEFAULT_OUTPUT_POLICY ;;
    routed) key=DEFAULT_FORWARD_POLICY ;;
    logging)
      sed -n 's/^LOGLEVEL=//p' /etc/ufw/ufw.conf
      return
      ;;
  esac
  case $(sed -n "s/^$key=\"\(.*\)\"/\1/p" /etc/default/ufw) in
    ACCEPT) echo allow ;;
    *) echo deny ;;
  esac
}

case $1 in
  is-applied)
    ufw status | grep -q '^Status: active' || exit 1
    [ "$(wanted | marks)" = "$(there | marks)" ] || exit 1
    if [ -e "$rules/policies" ]; then
      while read -r what value; do
        [ "$(policy "$what")" = "$value" ] || exit 1
      done <"$rules/policies"
    fi
    ;;
  apply)
    # all rules are there before a policy closes what they open
    if [ "$(wanted | marks)" != "$(there | marks)" ]; then
      there | while read -r _ rule; do
        # the words of a rule are its arguments
        # shellcheck disable=SC2086
        ufw --force delete $rule >/dev/null
      done
      wanted | while read -r mark rule; do
        # shellcheck disable=SC2086
        ufw $rule comment "$mark" >/dev/null
      done
    fi
    if [ -e "$rules/policies" ]; then
      while read -r what value; do
        if [ "$(policy "$what")" = "$value" ]; then continue; fi
        if [ "$what" = logging ]; then ufw logging "$value"; else ufw default "$value" "$what"; fi >/dev/null
      done <"$rules/policies"
    fi
    if ! ufw status | grep -q '^Status: active'; then ufw --force enable >/dev/null; fi
    ;;
esac
