# Functions for block devices, of which nothing is lost that is in use, or that nobody said may go.

# require_free_device PATH FORCE: nothing uses the device, and it has nothing, unless FORCE is not empty. Sets holds to what it has.
require_free_device() {
  device_use
  if [ -n "$used" ]; then fail "$1 is $used; nothing is made on a device in use"; fi
  device_content
  if [ "$holds" = '?' ]; then
    fail "cannot tell what $1 has; if this node has no blkid of util-linux, declare package(\"util-linux\") or package(\"blkid\") before it"
  fi
  if [ -n "$holds" ] && [ -z "$2" ]; then fail "$1 has $holds; force = True replaces it, and all that is on it is lost"; fi
}

# one_line TEXT: prints its lines in one
one_line() {
  printf '%s\n' "$1" | sed '/^[[:blank:]]*$/d' | tr '\n' ';' | sed 's/;$//; s/;/; /g'
}

# wipe_device PATH: nothing tells any more what it had
wipe_device() {
  said=$(wipefs -a -- "$device" 2>&1) || fail "cannot replace what $1 has: $(one_line "$said")"
  # what were its parts are none any more
  blockdev --rereadpt "$device" 2>/dev/null || :
}
