# runit_directory: sets directory to that of the services which runit looks after, or to nothing
runit_directory() {
  for directory in /var/service /etc/service /service; do
    if [ -d "$directory" ]; then return; fi
  done
  directory=''
}

# runit_status NAME: prints yes or no; directory is set
runit_status() {
  case $(sv status "$directory/$1" 2>/dev/null) in run:*) echo yes ;; *) echo no ;; esac
}

# runit_enabled NAME: a file `down` keeps a service from starting with the node
runit_enabled() {
  if [ -e "$directory/$1" ] && [ ! -e "/etc/sv/$1/down" ]; then echo yes; else echo no; fi
}
