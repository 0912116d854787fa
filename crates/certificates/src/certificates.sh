# Written by Pallet. Makes, requests, renews and puts in place the certificates of this node.
#
#   /etc/pallet/certificates/NAME/spec      what is declared: on each line a key and its value
#   /etc/pallet/certificates/NAME/made      the digest of what the certificate was made for
#   /etc/pallet/certificates/NAME/reload/*  services to reload when it changes, by other crates
#   /etc/pallet/certificates/NAME/*.pem     key, certificate, chain, fullchain, combined, ca
base=/etc/pallet/certificates

lock() {
  exec 9>"$base/.lock"
  flock 9
}

of() { value "$base/$1/spec" "$2"; } # NAME KEY

# NAME: the digest of what the certificate is made for: not who reads it, nor when it is renewed
digest() {
  {
    grep -v -e '^group ' -e '^services ' -e '^restarts ' -e '^renew ' -e '^wait ' -e '^host ' \
      -e '^port ' "$base/$1/spec"
    for file in certificate key chain token; do
      if [ -e "$base/$1/given/$file" ]; then sha256sum <"$base/$1/given/$file"; fi
    done
  } | sha256sum | cut -c 1-64
}

is_right() { # NAME: whether the certificate is as declared, and lasts
  at=$base/$1
  if [ ! -e "$at/made" ] || [ "$(cat "$at/made")" != "$(digest "$1")" ]; then return 1; fi
  if [ "$(of "$1" kind)" = ca ]; then
    lasts "$at/ca.pem" "$(of "$1" renew)" && cmp -s "$at/ca.pem" "$(of "$1" store)"
    return
  fi
  for file in key certificate chain fullchain combined; do
    if [ ! -e "$at/$file.pem" ]; then return 1; fi
  done
  lasts "$at/certificate.pem" "$(of "$1" renew)" && is_pair "$at/key.pem" "$at/certificate.pem"
}

access() { # NAME: the mode and the group that files with the key have
  group=$(of "$1" group)
  if [ -n "$group" ]; then echo "640 $group"; else echo '600 root'; fi
}

is_current() { # NAME: whether there is nothing to do
  if [ ! -e "$base/$1/spec" ] || [ -e "$base/$1/changed" ] || ! is_right "$1"; then return 1; fi
  if [ "$(of "$1" kind)" = ca ]; then return 0; fi
  for file in key combined; do
    if [ "$(stat -c '%a %G' "$base/$1/$file.pem")" != "$(access "$1")" ]; then return 1; fi
  done
}

own() { # NAME
  if [ "$(of "$1" kind)" = ca ]; then return; fi
  rights=$(access "$1")
  for file in key combined; do
    chgrp "${rights#* }" "$base/$1/$file.pem"
    chmod "${rights% *}" "$base/$1/$file.pem"
  done
}

publish() { # NAME DIRECTORY: puts the files of a directory in place
  at=$base/$1 from=$2
  openssl x509 -in "$from/certificate" -noout 2>/dev/null ||
    die "$1: what was given as the certificate is none in PEM"
  public_key "$from/key" >/dev/null ||
    die "$1: what was given as the key is none in PEM, or has a passphrase"
  is_pair "$from/key" "$from/certificate" || die "$1: the key does not belong to the certificate"
  lasts "$from/certificate" 0 || die "$1: the certificate has expired"
  rights=$(access "$1") && mode=${rights% *} group=${rights#* }
  : >"$at/changed"
  { openssl x509 -in "$from/certificate" && cat "$from/chain"; } >"$from/fullchain"
  put "$at/key.pem" "$mode" "$group" <"$from/key"
  openssl x509 -in "$from/certificate" | put "$at/certificate.pem" 644
  put "$at/chain.pem" 644 <"$from/chain"
  put "$at/fullchain.pem" 644 <"$from/fullchain"
  { openssl pkey -in "$from/key" && cat "$from/fullchain"; } | put "$at/combined.pem" "$mode" "$group"
  if [ -e "$from/ca" ]; then put "$at/ca.pem" 644 <"$from/ca"; fi
  digest "$1" | put "$at/made" 600
}

own_key() { # NAME DIRECTORY: the key that there is, or a new one if another kind is declared
  kind=$(of "$1" key)
  if [ -e "$base/$1/key.pem" ] && [ "$(cat "$base/$1/key.kind" 2>/dev/null)" = "$kind" ]; then
    cp "$base/$1/key.pem" "$2/key"
  else
    new_key "$kind" >"$2/key"
    # a request that fails is tried again with the same key
    put "$base/$1/key.pem" 600 <"$2/key"
    echo "$kind" | put "$base/$1/key.kind" 600
  fi
}

self_sign() { # NAME DIRECTORY
  own_key "$1" "$2"
  subject "$(of "$1" common_name)" "basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature,keyEncipherment
extendedKeyUsage=serverAuth,clientAuth
subjectKeyIdentifier=hash
subjectAltName=$(of "$1" alternatives)" >"$2/conf"
  openssl req -x509 -new -sha256 -key "$2/key" -config "$2/conf" -extensions own \
    -days "$(of "$1" days)" -out "$2/certificate"
  : >"$2/chain"
  cp "$2/certificate" "$2/ca"
}

ask() { # NAME DIRECTORY: sends the request in DIRECTORY/csr; the answer of the authority is `body`
  id=$(of "$1" id) nonce=$(openssl rand -hex 16) token=$base/$1/given/token
  mac=$({ printf 'request\n%s\n%s\n' "$id" "$nonce" && cat "$2/csr"; } | hmac "$token")
  {
    printf 'pallet-certificates 1\n%s\n%s\n%s\n' "$id" "$nonce" "$mac"
    cat "$2/csr"
    echo end
  } | socat -t 120 -T 120 - "TCP:$(of "$1" host):$(of "$1" port),connect-timeout=20" \
    >"$2/answer" 2>"$2/said" || return 1
  word='' mac=''
  { read -r word && read -r mac && sed '$d' >"$2/body"; } <"$2/answer" || true
  if [ -z "$word" ]; then
    echo 'it did not answer in time' >"$2/said"
    return 1
  fi
  if [ "$word" != ok ] || [ "$(tail -n 1 "$2/answer")" != end ]; then
    sed -n 1p "$2/answer" >"$2/said"
    return 1
  fi
  if [ "$({ printf 'answer\n%s\n' "$nonce" && cat "$2/body"; } | hmac "$token")" != "$mac" ]; then
    echo 'its answer is not signed with the token' >"$2/said"
    return 1
  fi
}

# NAME DIRECTORY SECONDS: asks until there is an answer, as the authority may just be set up
ask_until() {
  end=$(($(date +%s) + $3))
  while ! ask "$1" "$2"; do
    if [ "$(date +%s)" -ge "$end" ]; then
      die "$1: the authority at $(of "$1" host):$(of "$1" port) gave no certificate:" \
        "$(sed -n '$p' "$2/said")"
    fi
    sleep 2
  done
}

request() { # NAME DIRECTORY SECONDS
  own_key "$1" "$2"
  subject "$(of "$1" common_name)" '' >"$2/conf"
  openssl req -new -sha256 -key "$2/key" -config "$2/conf" -out "$2/csr"
  ask_until "$1" "$2" "$3"
  openssl x509 -in "$2/body" -out "$2/certificate"
  sed '1,/^-----END CERTIFICATE-----$/d' "$2/body" >"$2/ca"
  : >"$2/chain"
  openssl verify -CAfile "$2/ca" "$2/certificate" >/dev/null ||
    die "$1: the certificate is not of the authority that sent it"
}

fetch() { # NAME DIRECTORY SECONDS: the certificate of an authority, for the system's store
  : >"$2/csr"
  ask_until "$1" "$2" "$3"
  openssl x509 -in "$2/body" -out "$2/ca"
  put "$base/$1/ca.pem" 644 <"$2/ca"
  if ! cmp -s "$2/ca" "$(of "$1" store)"; then
    put "$(of "$1" store)" 644 <"$2/ca"
    : >"$base/$1/changed"
  fi
  digest "$1" | put "$base/$1/made" 600
}

given() { # NAME DIRECTORY
  cp "$base/$1/given/certificate" "$base/$1/given/key" "$2/"
  if [ -e "$base/$1/given/chain" ]; then
    cp "$base/$1/given/chain" "$2/chain"
  else
    # of a file with several certificates, those after the first are the chain
    sed '1,/^-----END CERTIFICATE-----$/d' "$2/certificate" >"$2/chain"
  fi
}

acme() { # NAME DIRECTORY
  name=$1 to=$2 live=/etc/pallet/acme/live/$1
  set -- certonly --non-interactive --agree-tos --cert-name "$name" --renew-with-new-domains \
    --config-dir /etc/pallet/acme --work-dir /var/lib/pallet-acme --logs-dir /var/log/pallet-acme \
    --server "$(of "$name" directory)"
  email=$(of "$name" email)
  if [ -n "$email" ]; then
    set -- "$@" --email "$email"
  else
    set -- "$@" --register-unsafely-without-email
  fi
  case $(of "$name" key) in
    ec256) set -- "$@" --key-type ecdsa --elliptic-curve secp256r1 ;;
    ec384) set -- "$@" --key-type ecdsa --elliptic-curve secp384r1 ;;
    rsa*) set -- "$@" --key-type rsa --rsa-key-size "$(of "$name" key | cut -c 4-)" ;;
  esac
  case $(of "$name" challenge) in
    webroot) set -- "$@" --webroot --webroot-path "$(of "$name" webroot)" ;;
    standalone) set -- "$@" --standalone ;;
    dns)
      hook=$(of "$name" hook)
      set -- "$@" --manual --preferred-challenges dns --manual-auth-hook "$hook add" \
        --manual-cleanup-hook "$hook remove"
      ;;
  esac
  for domain in $(of "$name" alternatives | tr , ' '); do set -- "$@" -d "${domain#DNS:}"; done
  # one that is due by our days, or of another authority or kind, which certbot may not find due yet
  source="$(of "$name" directory) $(of "$name" key)"
  if [ -e "$live/cert.pem" ] && { ! lasts "$live/cert.pem" "$(of "$name" renew)" ||
    [ "$(cat "$base/$name/obtained" 2>/dev/null)" != "$source" ]; }; then
    set -- "$@" --force-renewal
  fi
  bundle=$(of "$name" bundle)
  if [ -n "$bundle" ]; then export REQUESTS_CA_BUNDLE="$bundle"; fi
  if ! certbot "$@" >"$to/said" 2>&1 9>&-; then
    cat "$to/said" >&2
    die "$name: certbot got no certificate from $(of "$name" directory)"
  fi
  printf '%s\n' "$source" | put "$base/$name/obtained" 600
  for file in cert:certificate privkey:key chain:chain; do
    cp -L "$live/${file%:*}.pem" "$to/${file#*:}"
  done
}

make() { # NAME SECONDS: brings the certificate to what is declared
  if [ ! -e "$base/$1/spec" ]; then die "no certificate $1 is declared on this node"; fi
  if ! is_right "$1"; then
    work=$(mktemp -d "$base/$1/.work.XXXXXX")
    trap 'rm -rf -- "$work"' EXIT
    trap 'exit 143' HUP INT TERM
    kind=$(of "$1" kind)
    case $kind in
      self_signed) self_sign "$1" "$work" ;;
      issued) request "$1" "$work" "$2" ;;
      ca) fetch "$1" "$work" "$2" ;;
      given) given "$1" "$work" ;;
      acme) acme "$1" "$work" ;;
    esac
    if [ "$kind" != ca ]; then publish "$1" "$work"; fi
    rm -rf -- "$work"
  fi
  own "$1"
  if [ -e "$base/$1/changed" ]; then
    if [ "$(of "$1" kind)" = ca ]; then sh -c "$(of "$1" update)" >&2; fi
    tell "$1"
    rm -f "$base/$1/changed"
  fi
}

tell() { # NAME: services that run read the certificate again
  others=$(if [ -d "$base/$1/reload" ]; then ls "$base/$1/reload"; fi)
  for service in $(of "$1" services) $others; do act reload "$service" 9>&-; done
  for service in $(of "$1" restarts); do act restart "$service" 9>&-; done
}

act() { # WHAT SERVICE
  if [ -d /run/systemd/system ]; then
    if ! systemctl --quiet is-active "$2"; then
      :
    elif [ "$1" = reload ]; then
      systemctl try-reload-or-restart "$2" || die "$2 cannot be reloaded: see journalctl -u $2"
    else
      systemctl try-restart "$2" || die "$2 cannot be restarted: see journalctl -u $2"
    fi
  elif command -v rc-service >/dev/null 2>&1; then
    if rc-service --quiet "$2" status >/dev/null 2>&1; then
      rc-service "$2" "$1" || rc-service "$2" restart
    fi
  elif command -v service >/dev/null 2>&1; then
    if service "$2" status >/dev/null 2>&1; then service "$2" "$1" || service "$2" restart; fi
  fi
}

command=$1
shift
case $command in
  is-current) is_current "$@" ;;
  make)
    lock
    make "$@"
    ;;
  renew) # all that is due; one that fails does not keep the others
    failed=0
    for name in $(ls "$base"); do
      if [ -e "$base/$name/spec" ] && ! is_current "$name"; then
        sh "$0" make "$name" 60 || failed=1
      fi
    done
    exit "$failed"
    ;;
  *) die "certificates: unknown command $command" ;;
esac
