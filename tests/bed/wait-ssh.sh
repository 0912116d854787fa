#!/bin/bash
# wait-ssh.sh SECONDS <ADDRESSES   returns when the sshd at every address has sent its banner
end=$((SECONDS + $1))
while read -r ip; do
  until { exec 3<>"/dev/tcp/$ip/22"; } 2>/dev/null && read -r -t 5 -u 3 banner && [[ $banner == SSH-* ]]; do
    if [ "$SECONDS" -ge "$end" ]; then
      echo "no sshd at $ip" >&2
      exit 1
    fi
    sleep 0.02
  done
  exec 3>&-
done
