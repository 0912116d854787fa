# unescape TEXT: sets unescaped to what the kernel wrote as TEXT in one of its tables: blanks, newlines and backslashes are a backslash and three
# octal digits there. Nothing else is taken for an escape, whatever follows it.
unescape() {
  unescaped='' escaped=$1
  while :; do
    plain=${escaped%%\\*}
    if [ "$plain" = "$escaped" ]; then break; fi
    escaped=${escaped#"$plain"\\}
    case $escaped in
      [0-3][0-7][0-7]*)
        # the x keeps a newline
        letter=$(printf "\\${escaped%"${escaped#???}"}x")
        plain=$plain${letter%x} escaped=${escaped#???}
        ;;
      *) plain=$plain\\ ;;
    esac
    unescaped=$unescaped$plain
  done
  unescaped=$unescaped$escaped
}
