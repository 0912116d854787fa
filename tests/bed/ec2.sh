#!/bin/bash
# ec2.sh BED PORT   a cloud with EC2's interface, for tests: moto at 127.0.0.1:PORT in the network of the bed BED, and a node of the bed for
#                   every instance, made as the instance's user data says. It ends when its standard input does.
#
# Prints `ready SUBNET PYTHON` when calls are answered: the subnet that nodes must be in, and a Python with boto3. The API is as good as moto is; the nodes are real ones, with sshd at the instances' private addresses.
set -euo pipefail
export PALLET_BED=${1:?which bed?}
port=${2:?which port?}
. "$(dirname "$0")/env.sh"

# moto and what plays cloud-init, in a virtual environment of their own
python=$BED_STATE/moto-5.2.5
venv "$python" 'moto[ec2]==5.2.5' flask flask-cors

# credentials are dummies, and there is no metadata service: not even a route to one
export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=eu-west-1 AWS_EC2_METADATA_DISABLED=true
export MOTO_AMIS_PATH=$BED_HOME/ec2-images.json
inside() { exec nsenter --net="/run/netns/$BED" "$@"; }
children=()
stop() {
  for child in "${children[@]}"; do kill "$child" 2>/dev/null || true; done
  wait
}
trap stop EXIT
inside "$python/bin/moto_server" -H 127.0.0.1 -p "$port" >"$BED_RUN/moto.log" 2>&1 </dev/null &
children+=($!)
inside "$python/bin/python" "$BED_HOME/ec2-instances.py" "http://127.0.0.1:$port" "$BED_HOME/bed.sh" "$BED_RUN" "$("$BED_HOME/image.sh")" </dev/null &
children+=($!)
# when that fails, its reader must not wait for more
exec >&2
cat >/dev/null
