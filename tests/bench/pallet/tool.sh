# shellcheck shell=bash disable=SC2034,SC2154
# Pallet: a release build, all nodes at once.
install() {
  release
  echo "$pallet" >"$BENCH_STATE/pallet-cli"
}
prepare() {
  rm -rf "$work"
  mkdir -p "$work/.ssh"
  cp "$BED_RUN/known_hosts" "$work/.ssh/"
  cp -r "$BENCH_HOME/pallet/pallet.star" "$BENCH_HOME/workload/templates" "$work"
  {
    cat <<T
default_service = "bed"
[admin_user]
name = "root"
identity_files = ["$BED_RUN/id_ed25519"]
[services.bed]
provider = "node-list"
T
    while read -r name ip; do printf '[services.bed.nodes.%s]\ngroup = "app"\nhost = "%s"\n' "$name" "$ip"; done <"$BED_RUN/hosts"
  } >"$work/pallet.toml"
}
# a home of its own: no remembered facts at first, and none of this user's ssh configuration
pallet() { HOME=$PWD XDG_CACHE_HOME=$PWD/cache SSH_AUTH_SOCK='' "$(cat "$BENCH_STATE/pallet-cli")" "$@"; }
lift() { if [ "$variant" = no-journal ]; then pallet lift --no-journal; else pallet lift; fi; }
check() { pallet lift --dry-run; }
finish() { :; }
