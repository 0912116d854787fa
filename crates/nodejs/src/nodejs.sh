# Installs packages and the dependencies of projects with npm. Written by pallet.
#
# nodejs has-package|install-package NAME VERSION
# nodejs has-project|install-project DIRECTORY
#
# The settings are variables that begin with NODE_.
set -eu
umask 022

fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

# npm leaves nothing but what it installs
prepare_npm() {
  command -v npm >/dev/null || fail 'there is no npm; call nodejs.install before'
  npm_config_cache=$(mktemp -d)
  trap 'rm -rf -- "$npm_config_cache"' EXIT
  export npm_config_cache npm_config_update_notifier=false npm_config_audit=false
  export npm_config_fund=false npm_config_loglevel=error npm_config_progress=false
  if [ -n "$NODE_REGISTRY" ]; then export npm_config_registry="$NODE_REGISTRY"; fi
  if [ -z "$NODE_SCRIPTS" ]; then export npm_config_ignore_scripts=true; fi
}

has_package() {
  node -e '
    const [name, version] = process.argv.slice(1);
    const found = require(`/usr/local/lib/node_modules/${name}/package.json`).version;
    process.exit(found === version ? 0 : 1);
  ' "$1" "$2" 2>/dev/null
}

install_package() {
  prepare_npm
  npm install --global --prefix /usr/local "${NODE_FILE:-$1@$2}" >&2
  has_package "$1" "$2" || fail "npm installed another package or version than $1 $2"
}

# the digest of what the dependencies are made of
key() {
  {
    cat -- "$directory/package.json" "$directory/package-lock.json"
    node -p 'process.versions.modules'
    printf '%s\n' "$NODE_DEVELOPMENT" "$NODE_SCRIPTS" "$NODE_BUILD"
  } | sha256sum | cut -c 1-64
}

has_project() {
  [ -f "$directory/package-lock.json" ] &&
    [ "$(cat -- "$directory/node_modules/.pallet" 2>/dev/null)" = "$(key)" ]
}

# runs as the user of the project
install_here() {
  cd -- "$directory"
  prepare_npm
  if [ -n "$NODE_DEVELOPMENT" ]; then
    set -- npm ci --include=dev
  else
    set -- npm ci --omit=dev
  fi
  rm -rf .node_modules.before
  if [ -d node_modules ]; then mv node_modules .node_modules.before; fi
  if "$@" >&2 && { [ -z "$NODE_BUILD" ] || npm run --silent "$NODE_BUILD" >&2; }; then
    mkdir -p node_modules
    key >node_modules/.pallet
    rm -rf .node_modules.before
    return
  fi
  rm -rf node_modules
  if [ -d .node_modules.before ]; then mv .node_modules.before node_modules; fi
  fail "npm failed; the dependencies in $directory are as they were"
}

install_project() {
  [ -f "$directory/package-lock.json" ] ||
    fail "$directory has no package-lock.json; npm ci needs it"
  if [ "$NODE_USER" = root ]; then
    install_here
  elif command -v runuser >/dev/null 2>&1; then
    HOME=/nonexistent runuser -u "$NODE_USER" -- sh "$0" install-here "$directory"
  else
    HOME=/nonexistent su -s /bin/sh "$NODE_USER" -c 'exec sh "$0" install-here "$1"' -- "$0" "$directory"
  fi
}

job=$1
shift
directory=$1
command -v node >/dev/null || fail 'there is no node; call nodejs.install before'
case $job in
  has-package) has_package "$1" "$2" ;;
  install-package) install_package "$1" "$2" ;;
  has-project) has_project ;;
  install-project) install_project ;;
  install-here) install_here ;;
  *) fail "there is no $job" ;;
esac
