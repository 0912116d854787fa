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
    in_place other_at "$1/${name#./}"
  done <<END
$others
END
}

# other_at PATH: what is not wanted is gone, but for directories that hold what is excluded
other_at() {
  if [ -d "$at" ] && [ ! -L "$at" ]; then
    rmdir -- "$at" 2>/dev/null || return 0
    looked_up=''
  else
    if [ -n "${six-}" ]; then at=$six/${1##*/}; fi
    rm -f -- "$at"
    forget_written "$1"
  fi
  changed
}

has_excluded_part() {
  rest=$1/
  while [ -n "$rest" ]; do
    if excluded "${rest%%/*}"; then return 0; fi
    rest=${rest#*/}
  done
  return 1
}
