# Switches the releases of an application, and goes back from one that fails. Written by pallet.
#
# app-deploy is-deployed|deploy|forget NAME VERSION
# app-deploy serves NAME VERSION, restart NAME, rollback NAME [VERSION]
# app-deploy check-environment VARIABLE... FILE
#
# The settings are variables that begin with APP_.
set -eu
umask 022

fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

# the release that passed its check last
active() { cat -- "$state/active" 2>/dev/null || :; }

serves() { [ "$(active)" = "$version" ] && [ "$(readlink -- "$home/current")" = "releases/$version" ]; }

# what a release is made of, beside its archive
parameters() {
  echo "owner $APP_OWNER:$APP_GROUP"
  echo "shared $APP_SHARED"
  echo "shared files $APP_SHARED_FILES"
  if [ "$APP_SOURCE" = repository ]; then
    echo "commit $(git -C "$home/repository" rev-parse HEAD)"
  fi
}

is_prepared() {
  [ -d "$release" ] && [ "$(cat -- "$state/prepared/$version" 2>/dev/null)" = "$(parameters)" ]
}

# run_as USER COMMAND...
run_as() {
  who=$1
  shift
  if [ "$who" = root ]; then
    "$@"
    return
  fi
  where=$(getent passwd "$who" | cut -d: -f6)
  if command -v runuser >/dev/null 2>&1; then
    HOME=$where runuser -u "$who" -- "$@"
  else
    HOME=$where su -s /bin/sh "$who" -c 'exec "$0" "$@"' -- "$@"
  fi
}

# trash PATH: nobody else can reach what is deleted
trash() {
  if [ ! -e "$1" ] && [ ! -L "$1" ]; then return; fi
  mkdir -p -- "$state/trash"
  mv -- "$1" "$state/trash/$$"
  rm -rf -- "$state/trash"
}

# the files of the checked out commit, as a release
export_repository() {
  rm -rf -- "$state/new"
  mkdir -- "$state/new"
  cp -RP -- "$home/repository/." "$state/new/"
  find "$state/new" -name .git -prune -exec rm -rf -- {} +
  chown -hR -- "$APP_OWNER:$APP_GROUP" "$state/new"
  chmod 0755 -- "$state/new"
  trash "$release"
  mv -- "$state/new" "$release"
}

# link_shared: links what is shared into the release. It runs as the owner of the release, who may
# have put links of his own there.
link_shared() {
  cd -P -- "$release"
  for path in $APP_SHARED $APP_SHARED_FILES; do
    to=$home/shared/$path
    [ -e "$to" ] || fail "release $version of $name needs $to, and there is none; create it before"
    directory=. rest=$path
    while :; do
      case $rest in */*) ;; *) break ;; esac
      directory=$directory/${rest%%/*} rest=${rest#*/}
      [ ! -L "$directory" ] || fail "$path cannot be shared: $release/${directory#./} is a link"
      [ -d "$directory" ] || mkdir -- "$directory"
    done
    if [ -L "$path" ] && [ "$(readlink -- "$path")" = "$to" ]; then continue; fi
    rm -rf -- "$path"
    ln -s -- "$to" "$path"
  done
}

prepare() {
  if [ "$APP_SOURCE" = repository ]; then export_repository; fi
  [ -d "$release" ] && [ ! -L "$release" ] || fail "there is no $release"
  if [ -n "$APP_SHARED$APP_SHARED_FILES" ]; then run_as "$APP_OWNER" sh "$0" link "$name" "$version"; fi
  if [ -n "$APP_BUILD" ]; then
    (cd -P -- "$release" && run_as "$APP_OWNER" sh -ec 'eval "$APP_BUILD"') >&2 ||
      fail "release $version of $name: its build failed; nothing was switched"
  fi
  mkdir -p -- "$state/prepared"
  parameters >"$state/prepared/$version.new"
  mv -f -- "$state/prepared/$version.new" "$state/prepared/$version"
}

# switch_to VERSION
switch_to() {
  if [ -e "$home/current" ] && [ ! -L "$home/current" ]; then
    fail "$home/current is not a link; delete it before"
  fi
  rm -f -- "$state/current"
  ln -s -- "releases/$1" "$state/current"
  mv -fT -- "$state/current" "$home/current"
}

log_of_service() { journalctl -u "$APP_SERVICE" -n 10 --no-pager -o cat 2>/dev/null || :; }

# one attempt of the health check
attempt() {
  if [ -n "$APP_SERVICE" ] && ! systemctl is-active --quiet -- "$APP_SERVICE"; then
    echo "the service $APP_SERVICE does not run; it logged:"
    log_of_service
    return 1
  fi
  if [ -n "$APP_HEALTH_URL" ]; then
    answer=$(printf 'url = "%s"\n' "$APP_HEALTH_URL" |
      curl -sS -m 10 -o "$state/body" -w '%{http_code}' -K - 2>&1) || {
      echo "$APP_HEALTH_URL: $answer"
      return 1
    }
    if [ "$answer" != "$APP_HEALTH_STATUS" ]; then
      echo "$APP_HEALTH_URL answers with status $answer instead of $APP_HEALTH_STATUS:"
      head -c 1000 -- "$state/body" | head -n 10
      return 1
    fi
  fi
  if [ -n "$APP_HEALTH_COMMAND" ]; then
    (cd / && run_as "$APP_USER" timeout 10 sh -c 'eval "$APP_HEALTH_COMMAND"') </dev/null || {
      echo "the health command exits with $?"
      return 1
    }
  fi
}

# start_and_check: restarts the service, and waits until the check succeeds; otherwise its words are
# in $state/words
start_and_check() {
  if [ -n "$APP_SERVICE" ]; then
    if ! systemctl restart -- "$APP_SERVICE" >"$state/words" 2>&1; then
      log_of_service >>"$state/words"
      return 1
    fi
    # without a check, it must at least not end at once
    if [ -z "$APP_HEALTH_URL$APP_HEALTH_COMMAND" ]; then sleep 3; fi
  fi
  end=$(($(date +%s) + APP_TIMEOUT))
  while ! attempt >"$state/words" 2>&1; do
    if [ "$(date +%s)" -ge "$end" ]; then return 1; fi
    if [ -n "$APP_SERVICE" ] && systemctl is-failed --quiet -- "$APP_SERVICE"; then return 1; fi
    sleep 1
  done
}

note_active() {
  printf '%s\n' "$1" >"$state/active.new"
  mv -f -- "$state/active.new" "$state/active"
}

history() { cat -- "$state/history" 2>/dev/null || :; }

# last_before VERSION: the release that served last, other than this one
last_before() {
  history | grep -vxF -e "$1" | while IFS= read -r old; do
    if [ -d "$releases/$old" ]; then printf '%s\n' "$old"; fi
  done | tail -n 1
}

# the newest releases are kept, and nothing else
prune() {
  { history | grep -vxF -e "$version" || :; printf '%s\n' "$version"; } |
    tail -n "$APP_KEEP" >"$state/history.new"
  mv -f -- "$state/history.new" "$state/history"
  for old in "$releases"/*; do
    if ! grep -qxF -e "${old##*/}" "$state/history"; then
      trash "$old"
      rm -f -- "$state/prepared/${old##*/}"
    fi
  done
}

deploy() {
  if [ -n "$APP_SERVICE" ] && ! systemctl cat -- "$APP_SERVICE" >/dev/null 2>&1; then
    fail "there is no service $APP_SERVICE; call app_deploy.unit before app_deploy.release, or pass service = \"\""
  fi
  before=$(active)
  if [ "$before" = "$version" ] || [ ! -d "$releases/${before:-.none}" ]; then
    before=$(last_before "$version")
  fi
  is_prepared || prepare
  switch_to "$version"
  if start_and_check; then
    note_active "$version"
    prune
    return
  fi
  cat -- "$state/words" >&2
  if [ -z "$before" ]; then
    rm -f -- "$home/current" "$state/active"
    if [ -n "$APP_SERVICE" ]; then systemctl stop -- "$APP_SERVICE" || :; fi
    fail "release $version of $name failed its health check; there was none before, so nothing serves"
  fi
  switch_to "$before"
  note_active "$before"
  if start_and_check; then
    fail "release $version of $name failed its health check; release $before serves again"
  fi
  cat -- "$state/words" >&2
  fail "release $version of $name failed its health check; release $before is back, and fails it too"
}

rollback() {
  now=$(active)
  to=${version:-$(last_before "$now")}
  [ -n "$to" ] || fail "$name has no release to go back to"
  [ -d "$releases/$to" ] && [ ! -L "$releases/$to" ] ||
    fail "there is no release $to of $name; there are: $(cd -- "$releases" && echo *)"
  switch_to "$to"
  if start_and_check; then
    note_active "$to"
    # the next one goes back further
    { history | grep -vxF -e "$now" -e "$to" || :; printf '%s\n' "$to"; } >"$state/history.new"
    mv -f -- "$state/history.new" "$state/history"
    return
  fi
  cat -- "$state/words" >&2
  if [ -n "$now" ]; then
    switch_to "$now"
    start_and_check || :
  fi
  fail "release $to of $name failed its health check; release ${now:-none} serves again"
}

# check_environment VARIABLE... FILE: the file has these variables, each in quotes, and nothing else
check_environment() {
  awk 'BEGIN {
    for (i = 1; i < ARGC - 1; i++) names[i] = ARGV[i]
    count = ARGC - 2; file = ARGV[ARGC - 1]
    while ((getline line < file) > 0) text = text line "\n"
    for (i = 1; i <= count; i++) {
      name = names[i]
      if (substr(text, 1, length(name) + 1) != name "=") bad(i > 1 ? names[i - 1] : name)
      quote = substr(text, length(name) + 2, 1)
      text = substr(text, length(name) + 3)
      if (quote == "\047") {
        end = index(text, "\047")
      } else {
        if (quote != "\"") bad(name)
        end = 1
        while ((c = substr(text, end, 1)) != "\"" && c != "") end += c == "\\" ? 2 : 1
      }
      if (!end || substr(text, end + 1, 1) != "\n") bad(name)
      text = substr(text, end + 2)
    }
    if (text != "") bad(names[count])
    exit 0
  }
  function bad(name) {
    print "the value of " name " cannot stand in a file of variables: a secret there has a single quote" | "cat >&2"
    close("cat >&2")
    exit 1
  }' "$@"
}

job=$1
shift
if [ "$job" = check-environment ]; then
  check_environment "$@"
  exit
fi
name=$1 version=${2-}
home=/srv/$name
state=$home/.deploy releases=$home/releases
release=$releases/$version

case $job in
  is-deployed) serves && is_prepared ;;
  serves) serves ;;
  deploy) deploy ;;
  link) link_shared ;;
  forget) rm -f -- "$state/prepared/$version" ;;
  restart) start_and_check || {
    cat -- "$state/words" >&2
    fail "$APP_SERVICE failed its health check after a restart"
  } ;;
  rollback) rollback ;;
  *) fail "there is no $job" ;;
esac
