# Makes a virtual environment beside the old one, and puts it in place. Written by pallet.
#
# python-venv is-made|make PATH
#
# PATH is a link into PATH.d, where each environment has the digest of what it is made of as its
# name: an environment cannot be moved. The settings are variables that begin with VENV_.
set -eu
umask 022

fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

# the digest of what the environment is made of; Debian's updates of a version do not count
key() {
  {
    "$python" -B -c 'import sys; print(sys.implementation.cache_tag, sys.version_info[:2])'
    if [ -n "$VENV_REQUIREMENTS" ]; then cat -- "$VENV_REQUIREMENTS"; fi
    # a new password of the index changes nothing that is installed
    index=$(printf %s "$VENV_INDEX" | sed 's|//[^/@]*@|//|')
    printf '%s\n' "$VENV_HASHES" "$VENV_WHEELS" "$index" "$VENV_BINARY" "$VENV_SYSTEM" "$VENV_OWNER"
  } | sha256sum | cut -c 1-16
}

is_made() {
  [ -L "$path" ] && [ "$(readlink -- "$path")" = "${path##*/}.d/$(key)" ] && "$path/bin/python" -B -c ''
}

# run_as_owner COMMAND...
run_as_owner() {
  if [ "$VENV_OWNER" = root ]; then
    "$@"
  elif command -v runuser >/dev/null 2>&1; then
    HOME=/nonexistent runuser -u "$VENV_OWNER" -- "$@"
  else
    HOME=/nonexistent su -s /bin/sh "$VENV_OWNER" -c 'exec "$0" "$@"' -- "$@"
  fi
}

install_packages() {
  set -- "$new/bin/python" -m pip install --no-input --disable-pip-version-check --no-cache-dir \
    --quiet --requirement "$VENV_REQUIREMENTS"
  if [ -n "$VENV_HASHES" ]; then set -- "$@" --require-hashes; fi
  if [ -n "$VENV_BINARY" ]; then set -- "$@" --only-binary :all:; fi
  if [ -n "$VENV_WHEELS" ]; then set -- "$@" --no-index --find-links "$VENV_WHEELS"; fi
  if [ -n "$VENV_INDEX" ]; then export PIP_INDEX_URL="$VENV_INDEX"; fi
  run_as_owner "$@" >&2
}

make() {
  if [ -e "$path" ] && [ ! -L "$path" ]; then
    fail "$path is there, and is not an environment of Pallet; delete it before"
  fi
  # others could put links there
  directory=${path%/*}
  [ "$(stat -c %u -- "$directory")" = 0 ] && [ ! -L "$directory" ] ||
    fail "$directory belongs to another user than root; put the environment somewhere else"
  if [ -n "$VENV_REQUIREMENTS" ] && [ ! -f "$VENV_REQUIREMENTS" ]; then
    fail "there is no $VENV_REQUIREMENTS"
  fi
  mkdir -p -- "$path.d"
  name=$(key)
  new=$path.d/$name
  rm -rf -- "$new"
  mkdir -- "$new"
  chown -- "$VENV_OWNER:" "$new"
  trap 'rm -rf -- "$new"' EXIT
  cd /
  set -- "$python" -m venv
  if [ -n "$VENV_SYSTEM" ]; then set -- "$@" --system-site-packages; fi
  run_as_owner "$@" "$new" >&2 || fail "cannot make $path with $python; call python.install before"
  if [ -n "$VENV_REQUIREMENTS" ]; then
    install_packages || fail "pip failed; ${path} is as it was"
  fi
  trap - EXIT
  before=$(readlink -- "$path" 2>/dev/null || :)
  rm -f -- "$path.d/.link"
  ln -s -- "${path##*/}.d/$name" "$path.d/.link"
  mv -fT -- "$path.d/.link" "$path"
  for old in "$path.d"/*; do
    case ${old##*/} in "$name" | "${before##*/}") ;; *) rm -rf -- "$old" ;; esac
  done
}

job=$1 path=$2
python=$(command -v "$VENV_PYTHON") || fail "there is no $VENV_PYTHON; call python.install before"
case $job in
  is-made) is_made ;;
  make) make ;;
  *) fail "there is no $job" ;;
esac
