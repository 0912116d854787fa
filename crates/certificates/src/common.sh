# names are no patterns for the shell
set -euf
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"
umask 077

die() {
  echo "$*" >&2
  exit 1
}

value() { # FILE KEY: what a specification says
  sed -n "s/^$2 //p" "$1"
}

put() { # FILE MODE [GROUP]: the input becomes the file, all at once
  cat >"$1.new"
  if [ -n "${3-}" ]; then chgrp "$3" "$1.new"; fi
  chmod "$2" "$1.new"
  mv -f "$1.new" "$1"
}

new_key() { # KIND: a private key
  case $1 in
    ec256) openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 ;;
    ec384) openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 ;;
    rsa*) openssl genpkey -quiet -algorithm RSA -pkeyopt "rsa_keygen_bits:${1#rsa}" 2>/dev/null ||
      openssl genpkey -algorithm RSA -pkeyopt "rsa_keygen_bits:${1#rsa}" 2>/dev/null ;;
    *) die "there is no kind of key $1" ;;
  esac
}

subject() { # NAME EXTENSIONS: a configuration for `openssl req`
  printf '[req]\nprompt=no\nutf8=yes\ndistinguished_name=name\n[name]\nCN=%s\n[own]\n%s\n' "$1" "$2"
}

public_key() { # FILE: of a private key
  openssl pkey -in "$1" -passin pass: -pubout 2>/dev/null
}

is_pair() { # KEY CERTIFICATE
  one=$(public_key "$1") && other=$(openssl x509 -in "$2" -noout -pubkey 2>/dev/null) || return 1
  [ -n "$one" ] && [ "$one" = "$other" ]
}

lasts() { # CERTIFICATE DAYS: whether it is valid for so long
  openssl x509 -in "$1" -noout -checkend "$(($2 * 86400))" >/dev/null 2>&1
}

binary() { # HEX [NUMBER]: the bytes, each XORed with the number
  hex=$1 text=
  while [ -n "$hex" ]; do
    rest=${hex#??}
    byte=$((0x${hex%"$rest"} ^ ${2-0}))
    text="$text\\0$((byte >> 6))$((byte >> 3 & 7))$((byte & 7))" hex=$rest
  done
  printf %b "$text"
}

# KEYFILE: the HMAC-SHA256 of the input, by the SHA-256 digest of the file as the key. It is made of
# digests, because openssl takes the key in its arguments, which all users of the node can read.
hmac() {
  zeros=0000000000000000000000000000000000000000000000000000000000000000
  key=$(sha256sum <"$1") && key=${key%% *}$zeros
  inner=$({ binary "$key" 54 && cat; } | sha256sum)
  { binary "$key" 92 && binary "${inner%% *}"; } | sha256sum | cut -c 1-64
}
