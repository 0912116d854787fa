# shellcheck shell=bash disable=SC2034,SC2154
# Ansible with pipelining, a fork for each node, no facts; its connections stay open between runs (ControlPersist).
# ansible-free: with the strategy `free`; ansible-mitogen: with Mitogen.
venv=$BENCH_STATE/venv/ansible
install() { venv ansible ansible-core==2.21.5 mitogen==0.3.54; }
prepare() {
  mkdir -p "$work/connections"
  { echo '[all]' && sed 's/ / ansible_host=/' "$BED_RUN/hosts"; } >"$work/inventory"
  {
    cat <<C
[defaults]
inventory = inventory
forks = $(wc -l <"$BED_RUN/hosts")
remote_user = root
private_key_file = $BED_RUN/id_ed25519
interpreter_python = /usr/bin/python3
host_key_checking = true
retry_files_enabled = false
nocows = 1
C
    case $variant in
      free) echo 'strategy = free' ;;
      mitogen)
        echo 'strategy = mitogen_linear'
        echo "strategy_plugins = $(dirname "$("$venv/bin/python" -c 'import ansible_mitogen.plugins.strategy as it; print(it.__file__)')")"
        ;;
    esac
    cat <<C
[ssh_connection]
pipelining = true
control_path_dir = $work/connections
ssh_args = -F $BED_RUN/ssh_config -o ControlMaster=auto -o ControlPersist=600s
C
  } >"$work/ansible.cfg"
}
playbook() { ANSIBLE_CONFIG=$PWD/ansible.cfg ANSIBLE_HOME=$PWD/home "$venv/bin/ansible-playbook" "$@" "$BENCH_HOME/ansible/site.yml"; }
lift() { playbook; }
check() { playbook --check; }
finish() {
  local socket
  for socket in "$work"/connections/*; do
    if [ -S "$socket" ]; then ssh -o ControlPath="$socket" -O exit node 2>/dev/null || true; fi
  done
}
