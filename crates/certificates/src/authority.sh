# Written by Pallet. A certificate authority of this project: its key never leaves this node.
#
#   /etc/pallet/authorities/NAME/spec             what is declared: on each line a key and its value
#   /etc/pallet/authorities/NAME/key.pem, ca.pem  the authority's key and certificate
#   /etc/pallet/authorities/NAME/requests/ID      what a node may have: Pallet writes it
#   /etc/pallet/authorities/NAME/requests/ID.token  the secret that the node shares with this one
#   /etc/pallet/authorities/NAME/issued/ID.pem    what it got last
base=/etc/pallet/authorities

is_made() { # NAME
  at=$base/$1
  if [ ! -e "$at/key.pem" ] || [ "$(cat "$at/made" 2>/dev/null)" != "$(cat "$at/spec")" ]; then
    return 1
  fi
  lasts "$at/ca.pem" "$(value "$at/spec" renew)" && is_pair "$at/key.pem" "$at/ca.pem"
}

make() { # NAME
  at=$base/$1 name=$(value "$base/$1/spec" common_name) key=$(value "$base/$1/spec" key)
  if [ -e "$at/made" ]; then
    for word in common_name key; do
      if [ "$(value "$at/made" "$word")" != "$(value "$at/spec" "$word")" ]; then
        die "the authority $1 has the $word $(value "$at/made" "$word"); another one would make" \
          "all its certificates useless: name a new authority, or remove $at first"
      fi
    done
  fi
  work=$(mktemp -d "$at/.work.XXXXXX")
  trap 'rm -rf -- "$work"' EXIT
  if [ ! -e "$at/key.pem" ]; then
    new_key "$key" >"$work/key"
    put "$at/key.pem" 600 <"$work/key"
  fi
  subject "$name" 'basicConstraints=critical,CA:TRUE,pathlen:0
keyUsage=critical,keyCertSign,cRLSign
subjectKeyIdentifier=hash' >"$work/conf"
  openssl req -x509 -new -sha256 -key "$at/key.pem" -config "$work/conf" -extensions own \
    -days "$(value "$at/spec" days)" -out "$work/ca"
  put "$at/ca.pem" 644 <"$work/ca"
  put "$at/made" 600 <"$at/spec"
}

refuse() {
  echo "refused: $*"
  exit 0
}

serve() { # NAME: answers one request, from the input to the output
  at=$base/$1
  work=$(mktemp -d)
  trap 'rm -rf -- "$work"' EXIT
  timeout 60 head -c 20000 >"$work/all" || refuse 'the request did not arrive in 60 s'
  { read -r version && read -r id && read -r nonce && read -r mac && sed '$d' >"$work/csr"; } \
    <"$work/all" || refuse 'the request is not whole'
  if [ "$version" != 'pallet-certificates 1' ]; then refuse 'the request has another version'; fi
  case $id in '' | .* | -* | *[!A-Za-z0-9_.-]*) refuse 'it names no certificate' ;; esac
  token=$at/requests/$id.token
  # nothing that was sent is read before the token has shown who sent it
  if [ ! -e "$token" ] || [ ! -e "$at/requests/$id" ] ||
    [ "$({ printf 'request\n%s\n%s\n' "$id" "$nonce" && cat "$work/csr"; } | hmac "$token")" \
      != "$mac" ]; then
    refuse "this authority knows no request $id with that token"
  fi
  if [ "$(value "$at/requests/$id" kind)" = issued ]; then sign "$at" "$id" >"$work/body"; fi
  cat "$at/ca.pem" >>"$work/body"
  mac=$({ printf 'answer\n%s\n' "$nonce" && cat "$work/body"; } | hmac "$token")
  printf 'ok\n%s\n' "$mac"
  cat "$work/body"
  echo end
}

# DIRECTORY ID: the certificate for the key in the request. All else of it is what Pallet declared.
sign() {
  name=$(value "$1/requests/$2" common_name)
  openssl req -in "$work/csr" -noout -verify >/dev/null 2>&1 ||
    die_to_client 'the request is not signed with its own key'
  if [ "$(openssl req -in "$work/csr" -noout -subject -nameopt RFC2253)" != "subject=CN=$name" ]; then
    die_to_client 'the request has another subject than declared'
  fi
  {
    echo 'basicConstraints=critical,CA:FALSE'
    echo 'keyUsage=critical,digitalSignature,keyEncipherment'
    echo 'extendedKeyUsage=serverAuth,clientAuth'
    echo 'subjectKeyIdentifier=hash'
    echo 'authorityKeyIdentifier=keyid'
    echo "subjectAltName=$(value "$1/requests/$2" alternatives)"
  } >"$work/extensions"
  openssl x509 -req -sha256 -in "$work/csr" -CA "$1/ca.pem" -CAkey "$1/key.pem" \
    -set_serial "0x1$(openssl rand -hex 15)" -days "$(value "$1/requests/$2" days)" \
    -extfile "$work/extensions" -out "$work/certificate" 2>"$work/said" ||
    die_to_client "openssl could not sign it: $(sed -n '$p' "$work/said")"
  put "$1/issued/$2.pem" 644 <"$work/certificate"
  cat "$work/certificate"
}

die_to_client() {
  exec >&3
  refuse "$*"
}

command=$1
shift
case $command in
  is-made) is_made "$@" ;;
  make) make "$@" ;;
  serve) serve "$@" 3>&1 ;;
  renew) is_made "$@" || make "$@" ;;
  *) die "authority: unknown command $command" ;;
esac
