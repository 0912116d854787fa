# What Pallet remembers of the files that it writes: the digest of what it last wrote, and what stood there before.

# record_written PATH [DIGEST]: remembers the digest of what Pallet wrote there; without DIGEST, that of what is there now, if it remembers one.
# What changes a part of a file without replace_file calls it so, lest that looks like a change by hand.
record_written() {
  if [ ! -w /var/lib/pallet ]; then return; fi
  case $1 in *"$newline"*) return ;; esac
  if [ -z "${2-}" ]; then
    was_written "$1"
    if [ -z "$written" ]; then return; fi
    digest_of "$1"
    if [ "$digest" = "$written" ]; then return; fi
    set -- "$1" "$digest"
  fi
  append_written "$2  $1"
  # its size is looked at once in 16 files
  case $2 in 0*) compact_written ;; esac
}

# record_unsure LINES: takes back what is remembered of files that are about to be replaced: whoever is killed in between must not leave what looks like
# a change by hand. Sets record to the file that must be on disk before one of them is.
record_unsure() {
  record=
  case $1 in *"$newline"[!-]*) return ;; esac
  if [ -w /var/lib/pallet ] && [ -e /var/lib/pallet/written ]; then
    append_written "$1"
    record=/var/lib/pallet/written
  fi
}

# forget_written PATH: forgets what Pallet wrote there and below
forget_written() {
  if [ ! -w /var/lib/pallet ]; then return; fi
  lines_of "$1"
  while IFS= read -r line; do
    case ${line#*  } in
      "$1" | "$1"/*) append_written "-  ${line#*  }" ;;
    esac
  done <<END
$lines
END
}

# was_written PATH: sets written to the digest of what Pallet last wrote there, empty if it does not remember one
was_written() {
  written=
  lines_of "$1"
  while IFS= read -r line; do
    if [ "${line#*  }" = "$1" ]; then written=${line%%  *}; fi
  done <<END
$lines
END
  if [ "$written" = - ]; then written=; fi
}

# lines_of PATH: sets lines to those of the record that name it, or a path that begins so
lines_of() {
  lines=
  case $1 in *"$newline"*) return ;; esac
  if [ -r /var/lib/pallet/written ]; then
    lines=$(LC_ALL=C grep -F -e "  $1" /var/lib/pallet/written) || :
  fi
}

append_written() {
  if [ ! -e /var/lib/pallet/written ]; then (umask 077 && : >>/var/lib/pallet/written); fi
  printf '%s\n' "$1" >>/var/lib/pallet/written
}

# compact_written: keeps the last line of each path, if there are more than 256 KiB
compact_written() {
  if ! command -v awk >/dev/null || [ "$(wc -c </var/lib/pallet/written)" -le 262144 ]; then return; fi
  (
    umask 077
    LC_ALL=C awk '
      { digest = $1; path = substr($0, length(digest) + 3); if (!(path in last)) order[n++] = path; last[path] = digest }
      END { for (i = 0; i < n; i++) if (last[order[i]] != "-") print last[order[i]] "  " order[i] }
    ' /var/lib/pallet/written >/var/lib/pallet/written.new
    mv -f -- /var/lib/pallet/written.new /var/lib/pallet/written
  )
}

# keep_version PATH NUMBER NAME: what stands at PATH, and can be read as NAME, is kept beside the older versions, of which so many stay; none of what may
# hold secrets
keep_version() {
  if [ "$2" = 0 ] || [ -n "${no_versions-}" ] || [ ! -w /var/lib/pallet ] || [ ! -f "$3" ] || [ -L "$3" ]; then return; fi
  if holds_secret "$1" "$3"; then return; fi
  (
    umask 077
    kept=/var/lib/pallet/versions$1
    if [ ! -d "${kept%/*}" ]; then mkdir -p -- "${kept%/*}"; fi
    last=0
    for version in "$kept".~*~; do
      number=${version#"$kept".~} number=${number%"~"}
      case $number in *[!0-9]* | '') continue ;; esac
      if [ "$number" -gt "$last" ]; then last=$number; fi
    done
    version_new=$kept.~$((last + 1))~
    cat -- "$3" >"$version_new" || {
      rm -f -- "$version_new"
      fail "cannot keep the old content of $1 in /var/lib/pallet/versions; max_versions = 0 keeps none"
    }
    for version in "$kept".~*~; do
      number=${version#"$kept".~} number=${number%"~"}
      case $number in *[!0-9]* | '') continue ;; esac
      if [ "$number" -le $((last + 1 - $2)) ]; then rm -f -- "$version"; fi
    done
  )
}
