# Makes keystores, and tells Java whom to trust. Written by pallet.
#
# java has-keystore|keystore
# java trusts|trust|distrusts|distrust
#
# The settings are variables that begin with JAVA_; passwords are no arguments of any program.
set -eu
umask 077
export LC_ALL=C

fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

# the certificates of PEM text, each as one line
certificates() {
  openssl crl2pkcs7 -nocrl -certfile /dev/stdin | openssl pkcs7 -print_certs |
    awk '/-BEGIN/ { text = ""; on = 1 } on { text = text $0 } /-END/ { print text; on = 0 }' | sort
}

# the public key of the certificate is that of the key
belongs() {
  public=$(openssl x509 -in "$JAVA_CERTIFICATE" -noout -pubkey) || return 1
  [ "$public" = "$(openssl pkey -in "$JAVA_KEY" -pubout -passin env:JAVA_KEY_PASSWORD)" ]
}

wanted_certificates() {
  cat -- "$JAVA_CERTIFICATE" ${JAVA_CHAIN:+"$JAVA_CHAIN"} | certificates
}

has_keystore() {
  [ -f "$JAVA_STORE" ] && [ ! -L "$JAVA_STORE" ] &&
    [ "$(stat -c '%U:%G %a' -- "$JAVA_STORE")" = "$JAVA_OWNER $JAVA_MODE" ] && belongs || return 1
  found=$(openssl pkcs12 -in "$JAVA_STORE" -nokeys -passin env:JAVA_PASSWORD) || return 1
  printf '%s\n' "$found" | grep -qF -e "friendlyName: $JAVA_ALIAS" || return 1
  [ "$(printf '%s\n' "$found" | certificates)" = "$(wanted_certificates)" ] || return 1
  # the key itself, since its certificate may be the same as that of another keystore
  key=$(openssl pkcs12 -in "$JAVA_STORE" -nocerts -nodes -passin env:JAVA_PASSWORD |
    openssl pkey -pubout) || return 1
  [ "$key" = "$public" ]
}

# a temporary directory beside a file, in which nobody else can turn anything
beside() {
  directory=${1%/*}
  [ -d "${directory:-/}" ] || fail "there is no directory ${directory:-/}; create it before"
  [ "$(stat -c %u -- "${directory:-/}")" = 0 ] ||
    fail "$directory belongs to another user than root; put $1 somewhere else"
  work=$(mktemp -d "$directory/.pallet.XXXXXX")
  trap 'rm -rf -- "$work"' EXIT
}

keystore() {
  for file in "$JAVA_CERTIFICATE" "$JAVA_KEY" ${JAVA_CHAIN:+"$JAVA_CHAIN"}; do
    [ -f "$file" ] || fail "there is no $file"
  done
  belongs || fail "the key $JAVA_KEY does not belong to the certificate $JAVA_CERTIFICATE"
  beside "$JAVA_STORE"
  cat -- "$JAVA_CERTIFICATE" ${JAVA_CHAIN:+"$JAVA_CHAIN"} >"$work/certificates"
  openssl pkcs12 -export -in "$work/certificates" -inkey "$JAVA_KEY" -name "$JAVA_ALIAS" \
    -passin env:JAVA_KEY_PASSWORD -passout env:JAVA_PASSWORD -out "$work/store" >&2 ||
    fail "openssl cannot make $JAVA_STORE"
  chown -- "$JAVA_OWNER" "$work/store"
  chmod -- "$JAVA_MODE" "$work/store"
  mv -f -- "$work/store" "$JAVA_STORE"
}

# the truststore of the system's java, unless another one is named
find_store() {
  if [ -n "$JAVA_STORE" ]; then return; fi
  command -v java >/dev/null || fail 'there is no java; call java.install before'
  home=$(java -XX:-UsePerfData -XshowSettings:properties -version 2>&1 | sed -n 's/^ *java.home = //p')
  for place in "$home/lib/security/cacerts" "$home/jre/lib/security/cacerts"; do
    if [ -e "$place" ]; then JAVA_STORE=$(readlink -f -- "$place"); fi
  done
  [ -n "$JAVA_STORE" ] || fail "the Java in $home has no truststore; name one"
}

keytool() { command keytool -J-XX:-UsePerfData "$@" -storepass:env JAVA_PASSWORD; }

# the digest of the certificate under the alias
trusted() {
  if [ ! -f "$JAVA_STORE" ]; then return; fi
  keytool -list -alias "$JAVA_ALIAS" -keystore "$JAVA_STORE" 2>/dev/null |
    sed -n 's/^Certificate fingerprint (SHA-256): //p'
}

trusts() {
  find_store
  digest=$(openssl x509 -in "$JAVA_CERTIFICATE" -noout -fingerprint -sha256) || return 1
  [ "$(trusted)" = "${digest#*=}" ]
}

distrusts() {
  find_store
  [ -z "$(trusted)" ]
}

change_store() {
  beside "$JAVA_STORE"
  if [ -f "$JAVA_STORE" ]; then
    cp -p -- "$JAVA_STORE" "$work/store"
    if [ -n "$(trusted)" ]; then
      keytool -delete -alias "$JAVA_ALIAS" -keystore "$work/store" >&2
    fi
  fi
  if [ "$1" = trust ]; then
    keytool -importcert -noprompt -alias "$JAVA_ALIAS" -file "$JAVA_CERTIFICATE" \
      -keystore "$work/store" >&2 || fail "keytool cannot add $JAVA_CERTIFICATE to $JAVA_STORE"
  fi
  if [ ! -f "$JAVA_STORE" ]; then chmod 0644 -- "$work/store"; fi
  mv -f -- "$work/store" "$JAVA_STORE"
}

case $1 in
  has-keystore) has_keystore ;;
  keystore) keystore ;;
  trusts) trusts ;;
  distrusts) distrusts ;;
  trust | distrust)
    find_store
    if [ "$1" = trust ] && [ ! -f "$JAVA_CERTIFICATE" ]; then fail "there is no $JAVA_CERTIFICATE"; fi
    change_store "$1"
    ;;
  *) fail "there is no $1" ;;
esac
