"""answer.py PORT HOST_KEY: starts an ssh server for each connection to any address of this machine, as inetd would.

dropbear's own listener takes only a few logins at a time from one address, and all of these come from one.
"""

import os
import signal
import socket
import sys

port, host_key = int(sys.argv[1]), sys.argv[2]
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
listener = socket.create_server(("0.0.0.0", port), backlog=1000)
while True:
    connection, _ = listener.accept()
    with connection:
        files = [(os.POSIX_SPAWN_DUP2, connection.fileno(), descriptor) for descriptor in (0, 1)]
        # a server that is told to ignore SIGCHLD would not see its shell end
        os.posix_spawnp("dropbear", ["dropbear", "-i", "-s", "-j", "-k", "-r", host_key], os.environ, file_actions=files, setsigdef=[signal.SIGCHLD])
