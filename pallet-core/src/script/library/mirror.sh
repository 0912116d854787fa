# ensure_only PATH: nothing is below the directory but what the function `names` prints, one `./path` a line, and what has a part that the function
# `excluded` accepts, and what has a newline in its name
ensure_only() {
  if [ ! -d "$1" ]; then return; fi
  # what is wanted comes twice, so what stands alone is not; what is in a directory comes before it
  others=$(
    cd -- "$1"
    { names; names; find . ! -name . ! -path "*$newline*" -print; } | LC_ALL=C sort -r | LC_ALL=C uniq -u
  )
  while IFS= read -r name; do
    if [ -z "$name" ] || has_excluded_part "${name#./}"; then continue; fi
    name=$1/${name#./}
    if [ -d "$name" ] && [ ! -L "$name" ]; then
      # what is excluded keeps its directory
      rmdir -- "$name" 2>/dev/null || continue
    else
      rm -f -- "$name"
      forget_written "$name"
    fi
    changed
  done <<END
$others
END
}

has_excluded_part() {
  rest=$1/
  while [ -n "$rest" ]; do
    if excluded "${rest%%/*}"; then return 0; fi
    rest=${rest#*/}
  done
  return 1
}
