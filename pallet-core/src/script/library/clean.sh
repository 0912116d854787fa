# What scripts that were killed left behind: the next one removes it, under the lock of the node, so that nothing of it is alive.

# clean_leftovers DIGEST...: what they had written down goes, and what was sent for them; these are needed still
clean_leftovers() {
  if [ -e "$temporaries" ]; then
    while IFS= read -r entry; do
      case ${entry##*/} in .pallet.* | pallet.*) clean_entry "$entry" ;; esac
    done <"$temporaries"
    : >"$temporaries"
  fi
  for entry in "$incoming"/*; do
    [ -e "$entry" ] || continue
    case " $* " in *" ${entry##*/} "*) continue ;; esac
    case $entry in
      # another operation may be sending it
      *.part) [ -n "$(find "$entry" -mmin +10 2>/dev/null)" ] || continue ;;
    esac
    rm -f -- "$entry"
  done
  rm -f -- "$flags"/.log.* /var/lib/pallet/*.new
}

# clean_entry PATH: nobody can have made what has such a name before it was there, but the directory may be somebody else's. So no link is followed,
# and what is in a directory goes only if it is the one that was made: ours alone, and of this name as the system knows it.
clean_entry() {
  if [ -d "$1" ] && [ ! -L "$1" ]; then
    (
      cd -P -- "$1" || exit
      where=$(env pwd -P)
      [ "${where##*/}" = "${1##*/}" ] || exit
      case $(stat -c '%u %a' .) in "$uid 700" | "$uid 2700" | "$uid 711") ;; *) exit ;; esac
      rm -rf -- ./* ./.[!.]* ./..?*
    ) 2>/dev/null
    rmdir -- "$1" 2>/dev/null
  elif [ -e "$1" ] || [ -L "$1" ]; then
    rm -f -- "$1"
  fi
}
