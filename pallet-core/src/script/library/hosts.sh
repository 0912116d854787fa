# ensure_hosts_entry PATH CREATE OWNER GROUP MODE HOW ADDRESS NAME...: of the file, as hosts(5) describes it, lines of the address have each of the names. HOW
# is `present`, `only` where it has one line with these names in this order, or `absent`: it has none of them and, without NAME, no line.
ensure_hosts_entry() {
  # shellcheck disable=SC2016
  program='
    # adds the numbers of a part of an address to made, and says how many there are: 9 if it is none
    function numbers(part,    of, size, i, number) {
      size = split(part, of, ":")
      for (i = 1; i <= size; i++) {
        number = of[i]
        if (number !~ /^[0-9a-f]+$/ || length(number) > 4) return 9
        sub(/^0+/, "", number)
        made = made (made == "" ? "" : ":") (number == "" ? "0" : number)
      }
      return size
    }
    # an address in the only form that is compared, empty if it cannot be one
    function form(address,    byte, i, half, halves, before, after, behind) {
      if (index(address, ":") == 0) return address
      address = tolower(address)
      if (match(address, /:[0-9]+[.][0-9]+[.][0-9]+[.][0-9]+$/)) {
        split(substr(address, RSTART + 1), byte, ".")
        for (i = 1; i <= 4; i++) if (byte[i] !~ /^(0|[1-9][0-9]*)$/ || length(byte[i]) > 3 || byte[i] + 0 > 255) return ""
        address = substr(address, 1, RSTART) sprintf("%x:%x", byte[1] * 256 + byte[2], byte[3] * 256 + byte[4])
      }
      halves = split(address, half, "::")
      if (halves > 2) return ""
      made = ""
      before = numbers(half[1])
      if (halves == 1) return before == 8 ? made : ""
      behind = made
      made = ""
      after = numbers(half[2])
      if (before + after > 7) return ""
      for (i = before + after; i < 8; i++) behind = behind (behind == "" ? "" : ":") "0"
      return behind (made == "" ? "" : ":") made
    }
    # sets lead, field, fields, tail and is: the address is the first field, the names are the others
    function read_line(line,    body, rest, at) {
      at = index(line, "#")
      body = at ? substr(line, 1, at - 1) : line
      sub(/[ \t]+$/, "", body)
      tail = substr(line, length(body) + 1)
      rest = body
      sub(/^[ \t]+/, "", rest)
      fields = split(rest, field, /[ \t]+/)
      is = fields ? form(field[1]) : ""
      rest = fields ? substr(rest, length(field[1]) + 1) : ""
      sub(/^[ \t]+/, "", rest)
      lead = substr(body, 1, length(body) - length(rest))
    }
    function with(names) { return lead (lead ~ /[ \t]$/ ? "" : "\t") names tail }
    function others(    i, left) {
      left = ""
      for (i = 2; i <= fields; i++) if (!(tolower(field[i]) in wanted)) left = left (left == "" ? "" : " ") field[i]
      return left
    }
    END {
      address = form(value[2])
      names = ""
      for (i = 3; i < count; i++) {
        wanted[tolower(value[i])] = i
        names = names (i > 3 ? " " : "") value[i]
      }
      first = target = owns = 0
      for (i = 1; i <= n; i++) {
        read_line(text[i])
        if (is == "" || is != address) continue
        own[i] = 1
        if (!owns++) first = i
        for (j = 2; j <= fields; j++) {
          if (!(tolower(field[j]) in wanted)) continue
          has[tolower(field[j])] = 1
          if (!target) target = i
        }
      }
      lacks = 0
      for (i = 3; i < count; i++) if (!(tolower(value[i]) in has)) lacks = 1
      for (i = 1; value[1] == "absent" && i <= n; i++) {
        if (!(i in own)) continue
        read_line(text[i])
        left = others()
        if (count == 3 || (left == "" && fields > 1)) drop(i)
        else if (split(left, part, " ") < fields - 1) set(i, with(left))
      }
      if (value[1] == "present" && lacks) {
        if (target) {
          read_line(text[target])
          left = others()
          set(target, with(names (left == "" ? "" : " ") left))
        } else add(n, value[2] "\t" names)
      }
      if (value[1] == "only" && !owns) add(n, value[2] "\t" names)
      for (i = 1; value[1] == "only" && i <= n; i++) {
        if (!(i in own)) continue
        if (i != first) { drop(i); continue }
        read_line(text[i])
        same = fields == count - 2
        for (j = 3; j < count; j++) if (tolower(field[j - 1]) != tolower(value[j])) same = 0
        if (!same) set(i, with(names))
      }
      give()
    }
  '
  edit_with "$@"
}
