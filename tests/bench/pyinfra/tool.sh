# shellcheck shell=bash disable=SC2034,SC2154
# pyinfra, all nodes at once.
pyinfra=$BENCH_STATE/venv/pyinfra/bin/pyinfra
install() { venv pyinfra pyinfra==3.10.0; }
prepare() {
  wc -l <"$BED_RUN/hosts" >"$work/count"
  {
    echo 'hosts = ['
    while read -r name ip; do
      echo "    (\"$name\", {\"ssh_hostname\": \"$ip\", \"ssh_user\": \"root\", \"ssh_key\": \"$BED_RUN/id_ed25519\","
      echo "     \"ssh_known_hosts_file\": \"$BED_RUN/known_hosts\", \"ssh_config_file\": \"/dev/null\"}),"
    done <"$BED_RUN/hosts"
    echo ']'
  } >"$work/inventory.py"
}
lift() { "$pyinfra" -y --parallel "$(cat count)" inventory.py "$BENCH_HOME/pyinfra/deploy.py"; }
check() { "$pyinfra" --dry --parallel "$(cat count)" inventory.py "$BENCH_HOME/pyinfra/deploy.py"; }
finish() { :; }
