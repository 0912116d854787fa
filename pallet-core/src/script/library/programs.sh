# Editing programs for files that have a reader of their own. What they make of a file is what the actions make of its text in Rust.

# edit_with PATH CREATE OWNER GROUP MODE VALUE...: the file is as the awk program in `program` makes it with the values. They stand before the
# file on the program's input, one a line: they may be secret, and too large for arguments and environments.
edit_with() {
  require_text
  values='' skip=5
  for value do
    if [ "$skip" -gt 0 ]; then skip=$((skip - 1)); else values=$values$value$newline; fi
  done
  values=$(($# - 5))$newline$values
  common_program
  edited() { edited_by_program "$1" "$values"; }
  edit_file "$1" "$2" "$3" "$4" "$5"
}

# edited_by_program PATH VALUES: prints what the awk program makes of the file, with the number of VALUES and themselves, one a line
edited_by_program() {
  status=0
  # a name with = in it would be an assignment to awk
  { printf %s "$2" && cat "$1"; } | awk "$common$program" || status=$?
  case $status in
    0) ;;
    3) cat "$1" ;;
    4) fail "$label has no line \"$end\" behind \"$begin\"; add it, or delete that line" ;;
    *) fail "awk failed on $1" ;;
  esac
}

# What the programs share. `value` has the values, `text` the n lines without what ends them: nothing of it is ever taken for a number. They change lines
# in `text`, take them away with `drop`, add new ones behind others, and end with `give`.
common_program() {
  # shellcheck disable=SC2016
  common='
    BEGIN { n = edits = 0 }
    NR == 1 { count = $0 + 1; next }
    NR <= count { value[NR - 1] = $0 ""; next }
    {
      n = NR - count
      if (n == 1 && substr($0, 1, 3) == "\357\273\277") { mark = substr($0, 1, 3); $0 = substr($0, 4) }
      eol[n] = sub(/\r$/, "") ? "\r\n" : "\n"
      text[n] = $0 ""
    }
    function set(i, line) { text[i] = line; edits++ }
    function drop(i) { gone[i] = 1; edits++ }
    function add(i, line) { behind[i] = behind[i] line (n && eol[1] == "\r\n" ? "\r\n" : "\n"); edits++ }
    function give(    i) {
      if (!edits) exit 3
      printf "%s%s", mark, behind[0]
      for (i = 1; i <= n; i++) {
        if (!(i in gone)) printf "%s%s", text[i], eol[i]
        if (i in behind) printf "%s", behind[i]
      }
      exit 0
    }
    function trim(line) { sub(/^[ \t]+/, "", line); sub(/[ \t]+$/, "", line); return line }
  '
}

# ensure_keys PATH CREATE OWNER GROUP MODE HOW LINE...: of the keys of the lines, each has one line in the file, with the options of its own. HOW
# is `present`, `only` where there are no other keys, or `absent`. A line is read as sshd reads it.
ensure_keys() {
  # shellcheck disable=SC2016
  program='
    function key_of(line,    at, size, quoted, c) {
      options = ""
      sub(/^[ \t]+/, "", line)
      if (line ~ /^#/) return ""
      if (line !~ type) {
        size = length(line)
        quoted = 0
        for (at = 1; at <= size; at++) {
          c = substr(line, at, 1)
          if (c == "\\" && substr(line, at + 1, 1) == "\"") at++
          else if (c == "\"") quoted = !quoted
          else if (!quoted && (c == " " || c == "\t")) break
        }
        options = substr(line, 1, at - 1)
        line = substr(line, at)
        sub(/^[ \t]+/, "", line)
        if (line !~ type) return ""
      }
      match(line, /^[^ \t]+/)
      c = substr(line, 1, RLENGTH)
      line = substr(line, RLENGTH + 1)
      sub(/^[ \t]+/, "", line)
      match(line, /^[^ \t]+/)
      return c " " substr(line, 1, RLENGTH)
    }
    BEGIN { type = "^(ssh-|ecdsa-sha2-|sk-ssh-|sk-ecdsa-sha2-)[A-Za-z0-9.@-]*[ \t]+AAAA" }
    END {
      how = value[1]
      for (i = 2; i < count; i++) {
        id = key_of(value[i])
        wanted[id] = i
        with[id] = options
      }
      for (i = 1; i <= n; i++) {
        id = key[i] = key_of(text[i])
        if (!(id in wanted)) continue
        if (!(id in keep)) keep[id] = i
        if (!(id in right) && options == with[id]) right[id] = keep[id] = i
      }
      for (i = 1; i <= n; i++) {
        id = key[i]
        if (!(id in wanted)) {
          if (how == "only" && text[i] !~ /^[ \t]*(#|$)/) drop(i)
        } else if (how == "absent" || keep[id] != i) drop(i)
        else if (!(id in right)) set(i, value[wanted[id]])
      }
      for (i = 2; how != "absent" && i < count; i++) if (!(key_of(value[i]) in keep)) add(n, value[i])
      give()
    }
  '
  edit_with "$@"
}

# ensure_mount_entry PATH CREATE OWNER GROUP MODE HOW ABOUT LINE: the file has one entry of fstab(5) about that, and it says what the line says. HOW is
# `present` or `absent`; ABOUT is `on DIRECTORY` or, for swap, `swap DEVICE`.
ensure_mount_entry() {
  # shellcheck disable=SC2016
  program='
    function decoded(field,    made) {
      made = ""
      while (match(field, /\\[0-3][0-7][0-7]/)) {
        made = made substr(field, 1, RSTART - 1)
        made = made sprintf("%c", substr(field, RSTART + 1, 1) * 64 + substr(field, RSTART + 2, 1) * 8 + substr(field, RSTART + 3, 1))
        field = substr(field, RSTART + 4)
      }
      return made field
    }
    function directory(path) {
      gsub(/\/+/, "/", path)
      if (path != "/") sub(/\/$/, "", path)
      return path
    }
    # sets about to what the entry is about, and all to what it says; both are empty where there is none
    function read_entry(line,    field, fields) {
      about = all = ""
      line = trim(line)
      if (line == "" || line ~ /^#/) return
      fields = split(line, field, /[ \t]+/)
      if (fields < 3) return
      about = field[3] == "swap" ? "swap " decoded(field[1]) : "on " directory(decoded(field[2]))
      all = about "\n" decoded(field[1]) "\n" decoded(field[3]) "\n" (fields > 3 ? decoded(field[4]) : "defaults")
      all = all "\n" (field[5] + 0) "\n" (field[6] + 0)
    }
    END {
      read_entry(value[3])
      wanted = all
      for (i = 1; i <= n; i++) {
        read_entry(text[i])
        if (about != value[2]) continue
        own[i] = 1
        last = i
        if (all == wanted) right = i
      }
      if (right) last = right
      for (i = 1; i <= n; i++) {
        if (!(i in own)) continue
        if (value[1] == "absent" || i != last) drop(i)
        else if (!right) set(i, value[3])
      }
      if (value[1] != "absent" && !last) add(n, value[3])
      give()
    }
  '
  edit_with "$@"
}

# ensure_setting PATH CREATE OWNER GROUP MODE HOW SECTION KEY VALUE LINE JOINED: the section of an ini file sets the key to the value, with LINE where it does
# not; no line of it sets the key if HOW is `absent`. What is deeper than the key in the lines behind it continues its value; where JOINED is not empty,
# so does a line behind a backslash instead.
ensure_setting() {
  # shellcheck disable=SC2016
  program='
    # sets name to that of the section that begins here
    function is_header(line,    at, size, rest) {
      if (line !~ /^\[/) return 0
      size = length(line)
      for (at = 2; at <= size; at++) {
        if (substr(line, at, 1) != "]") continue
        rest = trim(substr(line, at + 1))
        if (rest == "" || rest ~ /^[;#]/) {
          name = trim(substr(line, 2, at - 2))
          return 1
        }
      }
      return 0
    }
    # whether the line sets the key; sets right to what it sets it to
    function is_own(line,    at, rest) {
      at = index(line, "=")
      right = at ? trim(substr(line, at + 1)) : ""
      if ((at ? trim(substr(line, 1, at - 1)) : line) == key) return 1
      if (substr(line, 1, length(key)) != key) return 0
      rest = trim(substr(line, length(key) + 1))
      if (rest !~ /^:/ || (at && rest !~ /^:([ \t]|$)/)) return 0
      right = trim(substr(rest, 2))
      return 1
    }
    END {
      key = value[3]
      inside = seen = value[2] == ""
      place = item = found = joined = 0
      for (i = 1; i <= n; i++) {
        line = trim(text[i])
        match(text[i], /^[ \t]*/)
        comment = line ~ /^[;#]/
        if (joined || (item && value[6] == "" && line != "" && RLENGTH > depth)) {
          if (!comment) { part[i] = item; parts[item]++ }
          if (joined && !comment) joined = line ~ /\\$/
        } else if (line == "") {
          continue
        } else if (!comment && is_header(line)) {
          item = 0
          inside = name == value[2]
          if (inside) seen = 1
        } else if (!comment) {
          item = i
          depth = RLENGTH
          joined = value[6] != "" && line ~ /\\$/
          if (inside && is_own(line)) { own[i] = 1; found = i; is = right }
        }
        if (inside) place = i
      }
      if (value[1] == "absent") {
        for (i = 1; i <= n; i++) if ((i in own) || ((i in part) && (part[i] in own))) drop(i)
      } else if (found) {
        if (is != value[4] || (found in parts)) {
          match(text[found], /^[ \t]*/)
          set(found, substr(text[found], 1, RLENGTH) value[5])
          for (i = found + 1; i <= n; i++) if ((i in part) && part[i] == found) drop(i)
        }
      } else if (seen) {
        add(place, value[5])
      } else {
        if (n && text[n] != "") add(n, "")
        add(n, "[" value[2] "]")
        add(n, value[5])
      }
      give()
    }
  '
  edit_with "$@"
}

# ensure_later_settings FILE DOTS SLASHES VALUE: what is read behind the file when the node starts sets the kernel's key, as it is written with dots and with
# slashes, to nothing but the value
ensure_later_settings() {
  # shellcheck disable=SC2016
  program='
    END {
      for (i = 1; i <= n; i++) {
        line = trim(text[i])
        at = index(line, "=")
        if (!at || line ~ /^[#;]/) continue
        key = trim(substr(line, 1, at - 1))
        sub(/^-/, "", key)
        is = trim(substr(line, at + 1))
        gsub(/[ \t]+/, " ", is)
        if ((key == value[1] || key == value[2]) && is != value[3]) set(i, substr(line, 1, at) (substr(line, at + 1) ~ /^[ \t]/ ? " " : "") value[3])
      }
      give()
    }
  '
  for later in /etc/sysctl.d/*.conf /run/sysctl.d/*.conf /usr/local/lib/sysctl.d/*.conf /usr/lib/sysctl.d/*.conf /lib/sysctl.d/*.conf /etc/sysctl.conf; do
    if [ ! -f "$later" ] || { [ "$later" != /etc/sysctl.conf ] && ! [ "${later##*/}" \> "${1##*/}" ]; }; then continue; fi
    case $later in
      /etc/*) edit_with "$later" '' '' '' '' "$2" "$3" "$4" ;;
      *)
        values=3$newline$2$newline$3$newline$4$newline
        common_program
        if { printf %s "$values" && cat "$later"; } | awk "$common$program" >/dev/null; then
          fail "$later sets $2, and is read behind $1 when the node starts; take it away there"
        fi
        ;;
    esac
  done
}
