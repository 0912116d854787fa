# shellcheck shell=bash disable=SC2034,SC2154
# The floor: OpenSSH feeds one script, written by hand for this workload, to each node, to all nodes at once.
# ssh-curve: with curve25519 as its key exchange, as Pallet's; ssh-cold: with OpenSSH's default.
python=$BENCH_STATE/venv/templates/bin/python
install() { venv templates jinja2==3.1.6; }
prepare() {
  rm -f "$work"/*
  # the last word for an option that is set twice is the first
  if [ "$variant" = cold ]; then sed '/KexAlgorithms/d' "$BED_RUN/ssh_config" >"$work/ssh_config"; else cp "$BED_RUN/ssh_config" "$work/ssh_config"; fi
  cut -d' ' -f1 "$BED_RUN/hosts" >"$work/names"
  xargs "$python" "$BENCH_HOME/ssh/render.py" "$work" <"$work/names"
}
all() { xargs -P 1000 -I{} sh -c "ssh -F ssh_config {} $1 sh -s <{}.sh >{}.out" <names; }
lift() { all ''; }
check() { all CHECK=1; }
finish() { :; }
