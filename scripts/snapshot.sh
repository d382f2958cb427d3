# The schema as text, for review and for comparing installs. Sourced.
# shellcheck shell=bash

snapshot=$root/tests/schema/snapshot.txt

# schema_text DATABASE [psql arguments]
schema_text() { sql "$1" -At -f "$root/tests/schema/snapshot.sql" "${@:2}"; }

# schema_matches DATABASE: compares with what is committed.
schema_matches() {
  schema_text "$1" | diff -U1 --label "tests/schema/snapshot.txt" --label "sql/" "$snapshot" - >&2 ||
    fail "the schema is not the one in tests/schema/snapshot.txt" \
      "see the lines above; if all of them are meant, run ./dev snapshot and commit the file with the change"
}
