# has_returns PATH: whether a line ends with a carriage return
has_returns() {
  return=$(printf '\r')
  grep -q "$return\$" "$1"
}

# by_sed PATH: prints what the program makes of it
by_sed() { printf '%s\n' "$program" | sed ${only:+"$only"} ${extended:+"$extended"} -f - "$1"; }

# edited_by_sed PATH: the same, but a program that does not name carriage returns (returns is empty) does not see them where they end every line
edited_by_sed() {
  if [ -n "$returns" ] || ! has_returns "$1" || [ "$(grep -c "$return\$" "$1")" != "$(grep -c '' "$1")" ]; then
    by_sed "$1"
  else
    # how the one in the middle ended goes another way than what it printed
    {
      refused=$({
        sed "s/$return\$//" <"$1" | {
          exec 3<&0
          by_sed /proc/self/fd/3 || echo refused >&4
        } | sed "s/\$/$return/" >&8
      } 4>&1)
    } 8>&1
    [ -z "$refused" ]
  fi
}
