# The plans of bench/statements as text: for review, and so that a lost index turns a test red. Sourced.
# shellcheck shell=bash

# plans_directory: each version of Postgres has its own plans and its own wording.
plans_directory() { echo "$root/bench/plans/$pg_version"; }

# plans_database NAME: enough rows for an index to win, and few enough for analyze to read all of them: the
# statistics, and with them the plans, are the same every time.
plans_database() {
  create_database "$1" hosted
  sql "$1" -o /dev/null -v rows=25000 -f "$root/bench/data.sql"
  wait_for 60 "a vacuum that finds every row visible to all" all_visible "$1"
}

# all_visible DATABASE: required for index-only scans. Other work in the cluster can prevent it for a moment.
all_visible() {
  sql "$1" <<<"select format('vacuum %s', oid::regclass) from pg_class where relkind = 'r'
    and relnamespace in ('dossier'::regnamespace, 'dossier_private'::regnamespace) \\gexec"
  [ "$(sql "$1" -Atc "select count(*) from pg_class where relkind = 'r' and relallvisible < relpages
    and relnamespace in ('dossier'::regnamespace, 'dossier_private'::regnamespace)")" = 0 ]
}

# write_plans DATABASE DIRECTORY
write_plans() {
  local statement
  for statement in "$root"/bench/statements/*.sql; do
    plan_text "$1" "$statement" >"$2/$(basename "$statement" .sql).txt"
  done
}

# plans_anew: writes what is to be committed.
plans_anew() {
  local directory
  directory=$(plans_directory)
  plans_database plans
  mkdir -p "$directory"
  rm -f "$directory"/*
  write_plans plans "$directory"
}

# plan_text DATABASE FILE: a statement, its plan, and the plans of the statements inside the functions that it calls:
# each once, if they read or write tables (except the catalogue's), without costs and keys.
plan_text() {
  cat "$2"
  sql "$1" -v file="$2" -f "$root/bench/plans.sql" 2>&1 >/dev/null | sed -E 's/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/<key>/g' | awk '
    function finish() {
      if (plan ~ /(Scan using|Seq Scan on|Heap Scan on|Insert on|Update on|Delete on) / && plan !~ / on pg_/ && !(plan in seen)) {
        seen[plan]
        plans[++count] = plan
      }
      plan = ""
    }
    /duration: [0-9.]+ ms  plan:$/ { finish(); next }
    /ERROR:/ { print }
    !plan && !/  \(cost=[0-9.]+ rows=[0-9]+ width=[0-9]+\)$/ { next } # the text of the statement
    {
      sub(/  \(cost=[0-9.]+ rows=[0-9]+ width=[0-9]+\)$/, "")
      plan = plan $0 "\n"
    }
    END {
      finish()
      for (i = count; i > 0; i--) printf "\n%s", plans[i]
    }'
}

# plans_match DATABASE: compares with what is committed.
plans_match() {
  local found
  found=$(mktemp -d)
  write_plans "$1" "$found"
  diff -U3 -r "$(plans_directory)" "$found" >&2 ||
    fail "the plans of Postgres $pg_version differ from bench/plans" \
      "perhaps an index is no longer used; if the lines above are intended, run ./dev bench plans and commit its files"
  rm -r "$found"
}
