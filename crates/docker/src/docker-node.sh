#!/bin/sh
# docker-node WHAT ARGUMENT...   what the crate docker does on a node. Written by pallet.
#
#   check-daemon FILE                 whether dockerd accepts a daemon.json
#   login|is-logged-in REGISTRY       logs in with the user and the password in logins/REGISTRY
#   import|is-imported IMAGE ARCHIVE [CHANGE...]
#   network|is-network NAME           with the arguments in networks/NAME
#   container|is-container NAME       with the arguments and the environment in containers/NAME
#   check-compose PROJECT FILE        whether compose accepts a file
#   compose|is-compose PROJECT        as its file says
#   compose-down PROJECT
#
# Files of arguments have one on each line: options, an empty line, the image, and the words of the command.
set -eu
what=$1
shift
here=/etc/docker/pallet

fail() {
  echo "docker-node: $1" >&2
  exit 1
}

digest() { cat -- "$@" | sha256sum | cut -d' ' -f1; }

# inspect KIND NAME FORMAT: prints nothing if there is none
inspect() { docker "$1" inspect --format "$3" "$2" 2>/dev/null || :; }

check_daemon() {
  if dockerd --help 2>/dev/null | grep -q -e '--validate'; then
    exec dockerd --validate --config-file "$1"
  fi
  # older ones read their configuration before they see that they are not root
  place=$(mktemp -d)
  trap 'rm -rf "$place"' EXIT
  chmod 755 "$place"
  cp "$1" "$place/daemon.json"
  chmod 644 "$place/daemon.json"
  said=$(setpriv --reuid=65534 --regid=65534 --clear-groups dockerd --config-file "$place/daemon.json" 2>&1) || :
  case $said in
    *"dockerd needs to be started with root"*) ;;
    *) fail "${said:-dockerd said nothing}" ;;
  esac
}

login() {
  user=$(sed -n 1p "$here/logins/$1")
  sed -n 2p "$here/logins/$1" | docker login --username "$user" --password-stdin "$1"
}

is_logged_in() {
  registry=$1
  # as docker names its own
  if [ "$registry" = docker.io ]; then registry=https://index.docker.io/v1/; fi
  [ -r "$HOME/.docker/config.json" ] || return 1
  wanted=$(printf '%s:%s' "$(sed -n 1p "$here/logins/$1")" "$(sed -n 2p "$here/logins/$1")" | base64 | tr -d '\n')
  # the value stands on the line after the registry's, and in no command line
  found=$(awk -v registry="\"$registry\":" 'index($0, registry) { here = 1; next } here && /"auth":/ { gsub(/.*"auth": *"|".*/, ""); print; exit } here && /}/ { exit }' "$HOME/.docker/config.json")
  [ "$found" = "$wanted" ]
}

import() {
  image=$1 archive=$2
  shift 2
  mark=$(mark_of "$archive" "$@")
  for change in "$@"; do
    set -- "$@" --change "$change"
    shift
  done
  docker import "$@" --change "LABEL pallet.digest=$mark" "$archive" "$image"
}

mark_of() {
  archive=$1
  shift
  { digest "$archive"; printf '%s\n' "$@"; } | digest -
}

is_imported() {
  image=$1
  shift
  [ -r "$1" ] || return 1
  [ "$(inspect image "$image" '{{index .Config.Labels "pallet.digest"}}')" = "$(mark_of "$@")" ]
}

network() {
  mark=$(digest "$here/networks/$1")
  name=$1
  set --
  while IFS= read -r line; do set -- "$@" "$line"; done <"$here/networks/$name"
  if [ -n "$(inspect network "$name" x)" ]; then docker network rm "$name" >/dev/null; fi
  docker network create "$@" --label "pallet.digest=$mark" "$name"
}

is_network() { [ "$(inspect network "$1" '{{index .Labels "pallet.digest"}}')" = "$(digest "$here/networks/$1")" ]; }

image_of() { sed -n '/^$/{n;p;q;}' "$here/containers/$1.arguments"; }

container() {
  name=$1 old=$1-before-pallet
  mark=$(digest "$here/containers/$name.arguments" "$here/containers/$name.environment")
  set -- --detach --name "$name" --env-file "$here/containers/$name.environment" --label "pallet.digest=$mark"
  while IFS= read -r line; do
    if [ -n "$line" ]; then set -- "$@" "$line"; fi
  done <"$here/containers/$name.arguments"
  # a missing image is no reason to stop what runs
  docker image inspect "$(image_of "$name")" >/dev/null 2>&1 || docker pull "$(image_of "$name")"
  # what a killed run left is the one that served; the new one was not seen to run
  if [ -n "$(inspect container "$old" x)" ]; then
    docker rm --force "$name" >/dev/null 2>&1 || :
    docker rename "$old" "$name"
  fi
  served=
  if [ -n "$(inspect container "$name" x)" ]; then
    served=$(inspect container "$name" '{{.State.Running}}')
    docker stop "$name" >/dev/null
    docker rename "$name" "$old"
  fi
  if docker run "$@" && is_well "$name"; then
    docker rm --force "$old" >/dev/null 2>&1 || :
    return
  fi
  docker logs --tail 20 "$name" >&2 || :
  docker rm --force "$name" >/dev/null 2>&1 || :
  if [ -n "$served" ]; then
    docker rename "$old" "$name"
    if [ "$served" = true ]; then docker start "$name" >/dev/null; fi
    fail "the new container $name does not run; the old one is back"
  fi
  fail "the container $name does not run"
}

# is_well NAME: it runs, and is healthy if it knows; or it is done, and nobody wants it to run on
is_well() {
  tries=0
  while [ "$tries" -lt 60 ]; do
    case $(inspect container "$1" '{{.State.Running}} {{.State.Restarting}} {{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}} {{.State.ExitCode}} {{.HostConfig.RestartPolicy.Name}}') in
      'true false healthy '*) return 0 ;;
      'true false none '*) if [ "$tries" -ge 2 ]; then return 0; fi ;;
      'true false starting '*) ;;
      'false false '*' 0 no') return 0 ;;
      'true true '*) ;;
      *) return 1 ;;
    esac
    tries=$((tries + 1))
    sleep 1
  done
  return 1
}

is_container() {
  wanted=$(digest "$here/containers/$1.arguments" "$here/containers/$1.environment")
  image=$(inspect image "$(image_of "$1")" '{{.Id}}')
  case $(inspect container "$1" '{{index .Config.Labels "pallet.digest"}} {{.Image}} {{.State.Running}} {{.State.ExitCode}} {{.HostConfig.RestartPolicy.Name}}') in
    "$wanted $image true "* | "$wanted $image false 0 no") return 0 ;;
    *) return 1 ;;
  esac
}

compose_program() { # ARGUMENT...
  if docker compose version >/dev/null 2>&1; then docker compose "$@"; else docker-compose "$@"; fi
}

in_project() { # PROJECT ARGUMENT...
  project=$1
  shift
  compose_program --project-name "$project" --project-directory "$here/compose/$project" --file "$here/compose/$project/compose.yaml" \
    --env-file "$here/compose/$project/environment" "$@"
}

check_compose() {
  project=$1 file=$2
  # an older compose takes the directory of the file for the project's
  compose_program --project-name "$project" --project-directory "$here/compose/$project" --file "$file" \
    --env-file "$here/compose/$project/environment" config --quiet
}

compose() {
  in_project "$1" up --detach --remove-orphans
  digest "$here/compose/$1/compose.yaml" "$here/compose/$1/environment" >"$here/compose/$1/applied"
}

is_compose() {
  [ -r "$here/compose/$1/applied" ] || return 1
  [ "$(cat "$here/compose/$1/applied")" = "$(digest "$here/compose/$1/compose.yaml" "$here/compose/$1/environment")" ] || return 1
  ids=$(docker ps --all --quiet --filter "label=com.docker.compose.project=$1")
  [ -n "$ids" ] || return 1
  for id in $ids; do
    case $(inspect container "$id" '{{.State.Running}} {{.State.ExitCode}} {{.HostConfig.RestartPolicy.Name}}') in
      'true '* | 'false 0 no' | 'false 0 ') ;;
      *) return 1 ;;
    esac
  done
}

compose_down() {
  in_project "$1" down --remove-orphans
  rm -f "$here/compose/$1/applied"
}

HOME=${HOME:-/root}
export HOME
case $what in
  check-daemon) check_daemon "$@" ;;
  login) login "$@" ;;
  is-logged-in) is_logged_in "$@" ;;
  import) import "$@" ;;
  is-imported) is_imported "$@" ;;
  network) network "$@" ;;
  is-network) is_network "$@" ;;
  container) container "$@" ;;
  is-container) is_container "$@" ;;
  check-compose) check_compose "$@" ;;
  compose) compose "$@" ;;
  is-compose) is_compose "$@" ;;
  compose-down) compose_down "$@" ;;
  *) fail "there is no $what" ;;
esac
