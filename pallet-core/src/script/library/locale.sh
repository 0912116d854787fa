# Locales: generating them, and the default ones.

# ensure_listed_locales PATH CREATE OWNER GROUP MODE NAME...: the file, which is that of locale.gen(5), lists each of the locales with its character
# set. Where it is a link to all that there are, it does.
ensure_listed_locales() {
  if [ -L "$1" ]; then
    case $(readlink -n -- "$1") in */SUPPORTED) return ;; esac
  fi
  # shellcheck disable=SC2016
  program='
    # the fields of a line with single spaces
    function plain(line) {
      gsub(/[ \t]+/, " ", line)
      return trim(line)
    }
    END {
      for (v = 1; v < count; v++) {
        set_of = value[v]
        sub(/^[^.]*[.]?/, "", set_of)
        sub(/@.*/, "", set_of)
        line = value[v] " " (set_of == "" ? "UTF-8" : set_of)
        has = at = 0
        for (i = 1; i <= n; i++) {
          if (old(i) == line) has = 1
          comment = trim(original(i))
          if (comment ~ /^#/ && plain(substr(comment, 2)) == line) at = i
        }
        if (has) continue
        if (at) change(at, line)
        else add(n, line)
      }
      give()
    }
    # lines are looked at as they were
    function original(i) { return (i in was) ? was[i] : text[i] }
    function old(i) { return plain(original(i)) }
    function change(i, line) { if (!(i in was)) was[i] = text[i]; set(i, line) }
  '
  edit_with "$@"
}

# ensure_default_locales PATH CREATE OWNER GROUP MODE KEY=NAME...: the file, which is that of locale.conf(5), sets each of the keys to that locale
ensure_default_locales() {
  # shellcheck disable=SC2016
  program='
    function bare(is,    quote) {
      quote = substr(is, 1, 1)
      if ((quote == "\"" || quote == "\047") && length(is) > 1 && substr(is, length(is)) == quote) return substr(is, 2, length(is) - 2)
      return is
    }
    END {
      for (v = 1; v < count; v++) {
        key = substr(value[v], 1, index(value[v], "="))
        last = 0
        for (i = 1; i <= n; i++) if (substr(trim(text[i]), 1, length(key)) == key) last = i
        if (!last) add(n, value[v])
        else if (bare(substr(trim(text[last]), length(key) + 1)) != substr(value[v], length(key) + 1)) set(last, value[v])
      }
      give()
    }
  '
  edit_with "$@"
}

# locale_file DEFAULT: sets file to that of the default locales: of Debian, where it is a link to another from Debian 13 on
locale_file() {
  file=/etc/default/locale
  if [ -L "$file" ]; then
    case $(readlink -n -- "$file") in ../locale.conf | /etc/locale.conf) file=/etc/locale.conf ;; esac
  elif [ ! -e "$file" ]; then
    file=$1
  fi
}

# missing_locales NAME...: sets lacks to those that the node does not have
missing_locales() {
  there=$newline$(locale -a 2>/dev/null | tr A-Z a-z | tr -d -)$newline lacks=
  for name do
    case $there in
      *"$newline$(printf %s "$name" | tr A-Z a-z | tr -d -)$newline"*) ;;
      *) lacks="$lacks $name" ;;
    esac
  done
}

# generate_locales TOOL PACKAGE NAME...: the node has each of the locales; TOOL is locale-gen or localedef, and PACKAGE brings it, or what it needs
generate_locales() {
  tool=$1 package=$2
  shift 2
  missing_locales "$@"
  if [ -z "$lacks" ]; then return; fi
  if ! command -v "$tool" >/dev/null 2>&1; then fail "there is no $tool; install it with package(\"$package\") before"; fi
  if [ "$tool" = locale-gen ]; then
    quietly locale-gen || fail 'locale-gen failed'
  else
    # shellcheck disable=SC2086
    for name in $lacks; do
      base=${name%%.*} charset=${name#*.} modifier=
      case $charset in *@*) modifier=@${charset#*@} charset=${charset%%@*} ;; esac
      # it ends with 1 on a warning
      unsaid=1
      quietly localedef -c -i "$base$modifier" -f "$charset" "$name" || :
      unsaid=''
    done
  fi
  missing_locales "$@"
  if [ -n "$lacks" ]; then fail "$tool does not generate$lacks; is it the name of a locale, and is the package $package installed?"; fi
  changed
}
