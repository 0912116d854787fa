# debconf_is PACKAGE QUESTION VALUE: succeeds if that is the answer, and was given by somebody
debconf_is() {
  answers=$(printf 'GET %s\nFGET %s seen\n' "$2" "$2" | debconf-communicate "$1" 2>/dev/null) || :
  [ "$answers" = "0 $3
0 true" ]
}
