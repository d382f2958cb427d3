# The schema as text, for review, for comparing installs, and for its users. Sourced.
# shellcheck shell=bash

snapshot=$root/tests/schema/snapshot.txt
reference=$root/docs/sql.md

# schema_text DATABASE [psql arguments]
schema_text() { sql "$1" -At -f "$root/tests/schema/snapshot.sql" "${@:2}"; }

# reference_text DATABASE: the expected docs/sql.md: the part written by hand, up to its mark, and the generated part.
reference_text() {
  sed '/^<!-- What follows/q' "$reference"
  sql "$1" -At -f "$root/tests/schema/reference.sql"
}

# schema_matches DATABASE: compares with the committed files.
schema_matches() {
  same_as_committed "$snapshot" < <(schema_text "$1")
  same_as_committed "$reference" < <(reference_text "$1")
}

# same_as_committed FILE: compares standard input with FILE.
same_as_committed() {
  diff -U1 --label "${1#"$root"/}" --label "sql/" "$1" - >&2 ||
    fail "${1#"$root"/} differs from what sql/ creates" \
      "see the lines above; if all of them are intended, run ./dev snapshot and commit the file with the change"
}
