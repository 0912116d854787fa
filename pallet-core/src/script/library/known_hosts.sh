# ensure_known_host PATH CREATE OWNER GROUP MODE HOW HOST KEY...: the file, as sshd(8) describes it, has each of the keys for the host, in lower case. HOW is
# `present`, where it has no other key of their types, `only`, where it has no other at all, or `absent`: it has none of them and, without KEY, none at all.
ensure_known_host() {
  # shellcheck disable=SC2016
  program='
    # sets byte to the 20 bytes of a text in base64, and says whether there are as many
    function decoded(coded,    i, bits, number, left, size, c) {
      if (length(coded) != 28 || substr(coded, 28) != "=") return 0
      bits = left = number = 0
      for (i = 1; i <= 27; i++) {
        c = index("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", substr(coded, i, 1)) - 1
        if (c < 0) return 0
        left = left * 64 + c
        bits += 6
        if (bits >= 8) {
          bits -= 8
          # 2 to the power of 0, 2 or 4; busybox may lack powers
          size = bits ? bits * bits : 1
          byte[++number] = int(left / size)
          left %= size
        }
      }
      return left == 0
    }
    function mixed(a, b,    i, made, bit) {
      made = 0
      for (bit = 1; bit < 256; bit *= 2) {
        if ((a % 2) != (b % 2)) made += bit
        a = int(a / 2)
        b = int(b / 2)
      }
      return made
    }
    # 64 bytes, the first ones those of the salt, for printf %b
    function padded(with,    i, made) {
      made = ""
      for (i = 1; i <= 64; i++) made = made sprintf("\\0%03o", i > 20 ? with : mixed(byte[i], with))
      return made
    }
    function sha1(message,    command, digest) {
      command = "printf %b \047" message "\047 | sha1sum"
      digest = ""
      command | getline digest
      close(command)
      return substr(digest, 1, 40)
    }
    # whether a hashed name, |1|SALT|HASH, is that of the host
    function is_hash(name,    part, inner, wanted_hash, i, made) {
      if (split(name, part, "|") != 4 || !decoded(part[4])) return 0
      wanted_hash = ""
      for (i = 1; i <= 20; i++) wanted_hash = wanted_hash sprintf("%02x", byte[i])
      if (!decoded(part[3])) return 0
      inner = sha1(padded(54) host)
      made = ""
      for (i = 1; i < 40; i += 2) made = made sprintf("\\0%03o", 16 * (index(hex, substr(inner, i, 1)) - 1) + index(hex, substr(inner, i + 1, 1)) - 1)
      return sha1(padded(92) made) == wanted_hash
    }
    # sets indent, hosts, rest, kind and id; kind is empty where there is no key
    function read_line(line,    part, fields) {
      kind = hosts = ""
      indent = line
      sub(/^[ \t]+/, "", line)
      indent = substr(indent, 1, length(indent) - length(line))
      if (line ~ /^[#@]/) return
      fields = split(line, part, /[ \t]+/)
      if (fields < 3 || part[3] == "") return
      hosts = part[1]
      kind = part[2]
      id = kind " " part[3]
      rest = substr(line, length(hosts) + 1)
    }
    # whether the host is among the hosts; sets others to what else is, and sole if nothing is
    function is_host(    i, fields, part, is) {
      others = ""
      sole = 1
      if (substr(hosts, 1, 3) == "|1|") return is_hash(hosts)
      is = 0
      fields = split(hosts, part, ",")
      for (i = 1; i <= fields; i++) {
        if (tolower(part[i]) == host) { is = 1; continue }
        others = others (sole ? "" : ",") part[i]
        sole = 0
      }
      return is
    }
    END {
      hex = "0123456789abcdef"
      host = value[2]
      for (i = 3; i < count; i++) {
        split(value[i], part, /[ \t]+/)
        key[i] = part[1] " " part[2]
        type[i] = part[1]
        wanted[key[i]] = i
        types[part[1]] = 1
      }
      for (i = 1; i <= n; i++) {
        read_line(text[i])
        if (kind == "") continue
        # most lines do not matter, and a hash takes time
        if (value[1] == "present" && !(kind in types)) continue
        if (value[1] == "absent" && count > 3 && !(id in wanted)) continue
        if (!is_host()) continue
        if (value[1] != "absent" && (id in wanted)) has[id] = 1
        else wrong[i] = 1
      }
      for (i = 1; i <= n; i++) {
        if (!(i in wrong)) continue
        read_line(text[i])
        missing = 0
        for (j = count - 1; value[1] != "absent" && j >= 3; j--) if (type[j] == kind && !(key[j] in has)) missing = j
        sole = 1
        if (substr(hosts, 1, 3) != "|1|") is_host()
        if (!sole) set(i, indent others rest)
        else if (missing) {
          set(i, indent hosts " " value[missing])
          has[key[missing]] = 1
        } else drop(i)
      }
      for (i = 3; value[1] != "absent" && i < count; i++) if (!(key[i] in has)) add(n, host " " value[i])
      give()
    }
  '
  edit_with "$@"
}
