#!/usr/bin/env bash
# Tests that need more than one transaction: two sessions that meet. Prints TAP.
#
#   tests/sql/concurrency.sh DATABASE     as the owner; host, port and user from psql's variables (PGHOST …)
#
# Nothing sleeps: a session that must wait is seen waiting in pg_stat_activity before the other goes on. A session
# that does not wait fails the test, because what follows then proves nothing.
# Its rows are committed, and deleted at the end.

set -euo pipefail

database=${1:?usage: concurrency.sh DATABASE}
work=$(mktemp -d)
organization=$(cat /proc/sys/kernel/random/uuid)
declare -A into out pids
count=0 failures=0

# shellcheck disable=SC2317 # called by the trap
cleanup() {
  psql -X -q -d "$database" -c "delete from dossier.organizations where id = '$organization'" || true
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  rm -rf "$work"
}
trap cleanup EXIT

# open NAME [USER]: opens a session, of an API user if one is named.
open() {
  local input output
  mkfifo "$work/$1.in" "$work/$1.out"
  PGAPPNAME="concurrency-$1" psql -X -q -A -t -d "$database" <"$work/$1.in" >"$work/$1.out" 2>&1 &
  pids[$1]=$!
  exec {input}>"$work/$1.in" {output}<"$work/$1.out"
  into[$1]=$input out[$1]=$output
  send "$1" '\set VERBOSITY sqlstate'
  [ -z "${2:-}" ] || become "$1" "$2"
  answer "$1" >/dev/null
}

# become NAME USER: the session goes on as an API user.
become() { send "$1" "set role authenticated; set request.jwt.claims = '{\"sub\":\"$2\"}';"; }

# send NAME SQL: sends it without waiting for the answer.
send() { echo "$2" >&"${into[$1]}"; }

# answer NAME: prints its output since the last answer.
answer() {
  local line
  send "$1" '\echo --'
  while IFS= read -r -t 30 line <&"${out[$1]}"; do
    [ "$line" != -- ] || return 0
    [ -z "$line" ] || printf '%s\n' "$line"
  done
  echo "no answer from $1"
  return 1
}

ask() { send "$1" "$2"; answer "$1"; }

# blocked NAME: a test by itself: the session waits for a lock. Returns as soon as it does.
blocked() {
  local deadline=$((SECONDS + 30)) state=''
  until [ "$state" = Lock ] || [ $SECONDS -ge $deadline ]; do
    state=$(ask watch "select coalesce(wait_event_type, state) from pg_stat_activity where application_name = 'concurrency-$1';")
  done
  is "$state" Lock "session $1 waits for a lock"
}

# is GOT WANTED DESCRIPTION
is() {
  count=$((count + 1))
  if [ "$1" = "$2" ]; then
    echo "ok $count - $3"
  else
    failures=$((failures + 1))
    printf 'not ok %s - %s\n#   got: %s\n#  want: %s\n' "$count" "$3" "${1//$'\n'/ | }" "${2//$'\n'/ | }"
  fi
}

open watch
ask watch "
  insert into dossier.organizations (id, name) values ('$organization', 'Concurrency');
  insert into dossier.organization_members values ('$organization', 'race-a', 'owner'), ('$organization', 'race-b', 'owner');
  insert into dossier.sessions (organization_id, user_id) values ('$organization', 'race-a');"
session=$(ask watch "select id from dossier.sessions where organization_id = '$organization';")
open a race-a
open b race-b
open c race-a
# Claims only jobs of this test: other jobs are locked meanwhile, and claims skip locked rows.
open keeper

owners="select count(*) from dossier.organization_members where organization_id = '$organization' and role = 'owner';"
leave_as() { echo "delete from dossier.organization_members where organization_id = '$organization' and user_id = '$1';"; }

# The last owner.

ask a "begin; $(leave_as race-a)" >/dev/null
send b "begin; $(leave_as race-b)"
blocked b
ask a 'commit;' >/dev/null
is "$(answer b)" 'ERROR:  PT409' 'if two owners leave at once, the second is refused'
ask b 'rollback;' >/dev/null
is "$(ask watch "$owners")" 1 'one owner is left'

ask watch "insert into dossier.organization_members values ('$organization', 'race-a', 'owner');" >/dev/null
ask b "begin isolation level repeatable read; select from dossier.organizations;" >/dev/null
ask a "begin; $(leave_as race-a)" >/dev/null
send b "$(leave_as race-b)"
blocked b
ask a 'commit;' >/dev/null
is "$(answer b)" 'ERROR:  40001' 'also at repeatable read'
ask b 'rollback;' >/dev/null
is "$(ask watch "$owners")" 1 'one owner is left again'
ask watch "insert into dossier.organization_members values ('$organization', 'race-a', 'owner');" >/dev/null

# Two concurrent saves.

save() { echo "select version from dossier.save_context('$session', '$1', null, $2);"; }
is "$(ask a "$(save first 0)")" 1 'a first save'
ask a "begin; $(save from-a 1)" >/dev/null
send b "$(save from-b 1)"
blocked b
ask a 'commit;' >/dev/null
is "$(answer b)" 'ERROR:  PT409' 'of two saves from one version the second is refused'
ask a "begin; $(save from-a null)" >/dev/null
send b "$(save from-b null)"
blocked b
ask a 'commit;' >/dev/null
is "$(answer b)" 4 'two saves without a version both count'
is "$(ask watch "select string_agg(version || ' ' || text_context, ', ' order by version) from dossier.session_context_versions where session_id = '$session';")" \
  '1 first, 2 from-a, 3 from-a, 4 from-b' 'every one is recorded'

# Two merges, and two calls that save the same sessions in opposite order.

merge() { echo "select version from dossier.save_context('$session', null, '$1', merge_metadata => true);"; }
ask a "begin; $(merge '{"a": 1}')" >/dev/null
send b "$(merge '{"b": 2}')"
blocked b
ask a 'commit;' >/dev/null
answer b >/dev/null
is "$(ask watch "select context_metadata from dossier.session_context where session_id = '$session';")" '{"a": 1, "b": 2}' \
  'of two merges at once neither is lost'

twin=$(ask a "select id from dossier.create_session('twin', organization_id => '$organization', context => '{}');")
both() { echo "select count(*) from dossier.save_contexts('[{\"session_id\": \"$1\"}, {\"session_id\": \"$2\"}]');"; }
ask a "begin; $(both "$session" "$twin")" >/dev/null
send b "$(both "$twin" "$session")"
blocked b
ask a "$(both "$twin" "$session") commit;" >/dev/null
is "$(answer b)" 2 'a save of the same sessions in another order waits, then saves'

# Two first sessions of a new user.

ask watch "update dossier_private.settings set value = 'true' where name = 'personal_organizations';" >/dev/null
open e race-new
open f race-new
ask e "begin; select from dossier.create_session('first');" >/dev/null
send f "select from dossier.create_session('second');"
blocked f
ask e 'commit;' >/dev/null
answer f >/dev/null
is "$(ask watch "select count(distinct organization_id) || ' ' || count(*) from dossier.sessions where user_id = 'race-new';")" '1 2' \
  'of two first sessions at once one makes the organization'
ask watch "update dossier_private.settings set value = default_value where name = 'personal_organizations';
  delete from dossier.organizations as o using dossier.organization_members as m where m.organization_id = o.id and m.user_id = 'race-new';" >/dev/null

# A save while a rule removes old versions.

ask watch "update dossier.organization_members set role = 'admin' where organization_id = '$organization' and user_id = 'race-b';" >/dev/null
versions="select count(*) from dossier.session_context_versions where session_id = '$session';"
ask b "begin; select from dossier.set_context_retention('$organization', 2);" >/dev/null
is "$(ask b "$versions")" 2 'a rule takes old versions away'
ask a "$(save newest null)" >/dev/null
ask b 'commit;' >/dev/null
ask a "$(save newest null)" >/dev/null
is "$(ask watch "$versions")" 2 'a save meanwhile neither waits nor brings them back'
ask b "select from dossier.set_context_retention('$organization');" >/dev/null
ask watch "update dossier.organization_members set role = 'owner' where organization_id = '$organization' and user_id = 'race-b';" >/dev/null

# The trash: a sweep, a restore, an upload and a claim that meet a deletion.

due() { ask watch "update dossier.sessions set deleted_at = now() - interval '99 years' where id = '$twin';" >/dev/null; }
delete="select dossier.delete_sessions('{$twin}');" restore="select title from dossier.restore_session('$twin');"
ask a "begin; $delete" >/dev/null
send b "$delete"
blocked b
ask a 'commit;' >/dev/null
is "$(answer b)" '' 'of two deletions at once one counts'

due
ask a "begin; $restore" >/dev/null
is "$(ask watch 'select dossier_private.sweep_trash();')" 0 'a sweep passes over what is being restored'
ask a 'commit;' >/dev/null
is "$(ask a "select title from dossier.sessions where id = '$twin';")" twin 'and it is there'

document=$(ask a "select id from dossier.begin_upload('$twin', 'x.txt');")
ask a "begin; $delete" >/dev/null
is "$(ask b "select name from dossier.begin_upload('$twin', 'y.txt');")" y.txt 'an upload that begins meanwhile does not wait'
ask a 'commit;' >/dev/null
is "$(ask a "select dossier.append_upload('$document', 0, 'hello');")" 'ERROR:  PT404' 'one under way ends, as if its session were gone'
ask a "$restore select dossier.append_upload('$document', 0, 'hello'); select from dossier.finish_upload('$document', 5, repeat('ab', 32));" >/dev/null

ask keeper "begin; select from dossier_private.jobs where organization_id <> '$organization' for update;" >/dev/null
ask watch "delete from dossier_private.jobs where document_id <> '$document' and organization_id = '$organization';" >/dev/null
ask watch 'begin;' >/dev/null
is "$(ask watch "set role service_role; select document_id from dossier.claim_jobs('one');")" "$document" 'it goes on when the session is back, and is read'
is "$(ask a "$delete")" "$twin" 'a deletion does not wait for a worker that claims its job'
ask watch 'commit; reset role;' >/dev/null
is "$(ask watch "select status from dossier_private.jobs where document_id = '$document';")" running 'which then continues'
ask keeper 'rollback;' >/dev/null

due
ask watch 'begin; select dossier_private.sweep_trash();' >/dev/null
send a "$restore"
blocked a
ask watch 'commit;' >/dev/null
is "$(answer a)" 'ERROR:  PT404' 'a restore of a session that is being purged waits, then fails'

# Permanent deletions and concurrent operations. All lock from the session down.

gone=$(ask a "select id from dossier.create_session('gone', organization_id => '$organization', context => '{}');")
document=$(ask a "select id from dossier.begin_upload('$gone', 'x.txt');")
ask a "select dossier.append_upload('$document', 0, 'hello'); select from dossier.finish_upload('$document', 5, repeat('ab', 32));" >/dev/null
job=$(ask watch "update dossier_private.jobs set status = 'running', attempts = 1, worker = 'one', lease_expires_at = now() + interval '1 hour'
  where document_id = '$document' returning id;")
ask keeper "begin; select id from dossier_private.own_job($job, 1);" >/dev/null
is "$(ask a "select dossier.delete_sessions('{$gone}', permanently => true);")" "$gone" 'a deletion does not wait for a worker that stores the text'
is "$(ask a "select from dossier.sessions where id = '$gone';") $(ask b "select from dossier.save_context('$gone', 'late');")" ' ERROR:  PT404' 'and is seen at once'
is "$(ask keeper "select dossier.complete_job($job, 1, '[{\"page\": 1, \"text\": \"hello\"}]');")" t 'the worker is not disturbed'
purge="select dossier_private.purge_sessions(100, '{$gone}') > 0;"
is "$(ask watch "$purge")" f 'a sweep passes over what it has locked'
ask keeper 'commit;' >/dev/null
is "$(ask watch "$purge") $(ask watch "select from dossier.sessions where id = '$gone';")" 't ' 'and removes it later'

gone=$(ask a "select id from dossier.create_session('gone', organization_id => '$organization');")
ask a "begin; select dossier.delete_sessions('{$gone}', permanently => true);" >/dev/null
send b "select from dossier.save_context('$gone', 'late');"
blocked b
send c "select from dossier.begin_upload('$gone', 'late.txt');"
blocked c
ask a 'commit;' >/dev/null
is "$(answer b) $(answer c)" 'ERROR:  PT404 ERROR:  PT404' 'a save and an upload meanwhile wait, then fail'

other=$(ask a "select id from dossier.create_organization('Concurrency, too');")
ask a "begin; select dossier.forget_organization('$other');" >/dev/null
send c "select from dossier.create_session('late', organization_id => '$other');"
blocked c
ask a 'commit;' >/dev/null
is "$(answer c)" 'ERROR:  PT404' 'a new session in an organization that is being erased, too'

# Batches of pages that a worker stages, the end of its attempt, and a deletion.

open h
document=$(ask a "select id from dossier.begin_upload('$session', 'x.txt');")
ask a "select dossier.append_upload('$document', 0, 'hello'); select from dossier.finish_upload('$document', 5, repeat('ab', 32));" >/dev/null
run_job() { ask watch "update dossier_private.jobs set status = 'running', attempts = $1, worker = 'one', lease_expires_at = now() + interval '1 hour'
  where document_id = '$document' returning id;"; }
stage() { echo "select dossier.stage_pages($job, $1, '[{\"page\": $2, \"text\": \"hello\"}]');"; }
staged="select count(*) from dossier_private.staged_pages where document_id = '$document';"
job=$(run_job 1)
ask keeper "begin; $(stage 1 1)" >/dev/null
is "$(ask watch "$(stage 1 2)")" t 'a batch of pages does not wait for another'
send h "select dossier.release_job($job, 1);"
blocked h
is "$(ask keeper "$(stage 1 3) commit;")" t 'a worker stages what it has begun'
is "$(answer h) $(ask watch "$staged")" 't 0' 'the end of its attempt waits, and leaves nothing staged'
run_job 2 >/dev/null
ask keeper "begin; $(stage 2 1)" >/dev/null
send h "delete from dossier.documents where id = '$document';"
blocked h
is "$(ask keeper "$(stage 2 2) commit;")" t 'a deletion that waits for a batch is not in its way'
is "$(answer h) $(ask watch "$staged") $(ask watch "$(stage 2 3)")" ' 0 f' 'and leaves nothing staged'

# Two imports of the same ids in opposite order, by services; the refused one as a bundle and as NDJSON.

# sessions MEMBERS ID…: a JSON array of sessions, with MEMBERS in each of them.
sessions() {
  local id members=$1 all=''
  for id in "${@:2}"; do
    all+=", {\"id\": \"$id\", \"user_id\": \"race-a\", \"conversation_type\": \"meeting\", \"status\": \"active\",$members"
    all+=' "created_at": "2026-01-01Z", "updated_at": "2026-01-01Z"}'
  done
  echo "${all:2}"
}
import() {
  echo "select from dossier.import_sessions('{\"format\": \"dossier\", \"version\": 1, \"sessions\": [$(
    sessions ' "context_versions": [], "documents": [],' "$@")]}', '$organization', keep_ids => true);"
}
for name in a b; do ask $name "set role service_role; set request.jwt.claims = '{}';" >/dev/null; done
one=$(cat /proc/sys/kernel/random/uuid) two=$(cat /proc/sys/kernel/random/uuid)
lines=$(ask b "select dossier.begin_import('$organization', keep_ids => true);")
ask b "select dossier.append_import('$lines', 1, '[{\"type\": \"bundle\", \"format\": \"dossier\", \"version\": 1},
  $(sessions ' "type": "session",' "$two" "$one"), {\"type\": \"end\", \"lines\": 3}]');" >/dev/null
for crossing in "$(import "$two" "$one")" "select from dossier.finish_import('$lines');"; do
  ask a "begin; $(import "$one")" >/dev/null
  send b "$crossing"
  blocked b
  send a "$(import "$two")"
  is "$({ answer a; answer b; } | sort -u)" 'ERROR:  PT409' 'of two imports of the same ids in opposite order one is refused in words'
  ask a 'rollback;' >/dev/null
done
for name in a b; do become $name "race-$name"; done

# Imports of one user that begin at the same time count each other.

ask watch "update dossier_private.settings set value = '1' where name = 'max_imports_a_user';" >/dev/null
begin_import="select from dossier.begin_import('$organization');"
ask a "begin; $begin_import" >/dev/null
send c "$begin_import"
blocked c
ask a 'commit;' >/dev/null
is "$(answer c)" 'ERROR:  PT429' 'of two imports that begin at once, the second learns that the first has taken the last place'
ask watch "delete from dossier_private.imports where organization_id = '$organization';
  update dossier_private.settings set value = default_value where name = 'max_imports_a_user';" >/dev/null

# A chunk and the end of its upload.

begin_upload() { ask a "select id from dossier.begin_upload('$session', 'x.txt');"; }
document=$(begin_upload)
ask a "begin; select dossier.append_upload('$document', 0, 'hello');" >/dev/null
send c "select status from dossier.finish_upload('$document', 5, repeat('ab', 32));"
blocked c
ask a 'commit;' >/dev/null
is "$(answer c)" stored 'the end waits for a chunk under way, and counts it'

document=$(begin_upload)
ask a "select dossier.append_upload('$document', 0, 'hello');" >/dev/null
ask c "begin; select from dossier.finish_upload('$document', 5, repeat('ab', 32));" >/dev/null
send a "select dossier.append_upload('$document', 1, 'late');"
blocked a
ask c 'commit;' >/dev/null
is "$(answer a)" 'ERROR:  PT409' 'a chunk that comes after the end is refused'

# Two first chunks that correct the document's type, while a later one is under way.

open g race-a
upload=$(begin_upload)
pdf="select dossier.append_upload('$upload', 0, '%PDF-1.7');"
ask g "begin; select dossier.append_upload('$upload', 1, 'later');" >/dev/null
send a "$pdf"
blocked a
send c "$pdf"
blocked c
ask g 'commit;' >/dev/null
is "$(answer a)|$(answer c)" '|ERROR:  PT409' 'of two first chunks the second learns that the first has arrived'
ask a "select dossier.abort_upload('$upload');" >/dev/null

# Two uploads, one place.

quota() { ask watch "set role service_role; select from dossier.set_quota('$organization'$1); reset role;" >/dev/null; }
documents=$(ask watch "select count(*) from dossier.documents where organization_id = '$organization';")
quota ", max_documents => $((documents + 1))"
ask a "begin; select from dossier.begin_upload('$session', 'last.txt');" >/dev/null
send c "select from dossier.begin_upload('$session', 'too-late.txt');"
blocked c
ask a 'commit;' >/dev/null
is "$(answer c)" 'ERROR:  PT403' 'of two uploads that begin at once the second finds the last place taken'
quota ", max_documents => $((documents + 2))"
ask c "begin isolation level repeatable read; select from dossier.sessions;" >/dev/null
ask a "begin; select from dossier.begin_upload('$session', 'last.txt');" >/dev/null
send c "select from dossier.begin_upload('$session', 'too-late.txt');"
blocked c
ask a 'commit;' >/dev/null
is "$(answer c)" 'ERROR:  40001' 'also at repeatable read'
ask c 'rollback;' >/dev/null

quota ''
one=$(begin_upload) two=$(begin_upload)
bytes=$(ask a "select bytes from dossier.usage('$organization');")
quota ", max_bytes => $((bytes + 17))"
ask a "begin; select dossier.append_upload('$one', 0, '1234567890');" >/dev/null
ask c "select dossier.append_upload('$two', 0, '1234567890');" >/dev/null
ask a 'commit;' >/dev/null
is "$(ask c "select dossier.append_upload('$two', 1, '1');")" 'ERROR:  PT403' 'bytes of unknown size count as they arrive'
is "$(ask a "begin; select status from dossier.finish_upload('$one', 10, repeat('ab', 32));")" stored 'an upload of unknown size ends below the quota'
send c "select from dossier.finish_upload('$two', 10, repeat('ab', 32));"
blocked c
ask a 'commit;' >/dev/null
is "$(answer c)" 'ERROR:  PT403' 'of two uploads of unknown size that end at once the second finds the bytes used'
quota ''

# Two workers, one document.

ask keeper "begin; select from dossier_private.jobs where organization_id <> '$organization' for update;" >/dev/null
ask watch "delete from dossier_private.jobs where document_id <> '$document' and organization_id = '$organization';" >/dev/null
claim() { echo "set role service_role; select document_id, attempt from dossier.claim_jobs('$1');"; }
open d
ask watch 'begin;' >/dev/null
is "$(ask watch "$(claim one)")" "$document|1" 'a worker claims the job'
is "$(ask d "$(claim two)")" '' 'another, meanwhile, neither waits nor gets it'
ask watch 'commit; reset role;' >/dev/null
is "$(ask d "$(claim two)")" '' 'nor afterwards'
ask watch "update dossier_private.jobs set lease_expires_at = now() where document_id = '$document';" >/dev/null
ask watch 'begin;' >/dev/null
is "$(ask watch "$(claim one)")" "$document|2" 'when its worker is lost, one worker takes it back'
is "$(ask d "$(claim two)")" '' 'and again only one'
ask watch 'commit; reset role;' >/dev/null

# Two workers, one file to delete in an external store.

ask watch "insert into dossier_private.store_deletions (organization_id, storage, storage_key) values ('$organization', 'concurrency', '$organization');" >/dev/null
claim() { echo "set role service_role; select storage_key, attempt from dossier.claim_store_deletions('concurrency');"; }
is "$(ask watch "begin; $(claim)")" "$organization|1" 'a worker claims what is to be deleted outside'
is "$(ask d "$(claim)")" '' 'another neither waits nor gets it'
ask watch "commit; reset role; delete from dossier_private.store_deletions where storage = 'concurrency';" >/dev/null

# A deletion while a worker has the document.

ask a "begin; select dossier.delete_document('$document');" >/dev/null
job=$(ask watch "select id from dossier_private.jobs where document_id = '$document';")
send d "select dossier.complete_job($job, 2, '[]');"
blocked d
send c "select dossier.request_extraction('$document');"
blocked c
ask a 'commit;' >/dev/null
is "$(answer c)" 'ERROR:  PT404' 'a request to extract a document that is being deleted waits, then fails'
is "$(answer d)" f 'the result of a document that is being deleted waits, then is discarded'

# Notifications, which are sent with the commit.

ask d 'reset role; listen dossier_documents; listen dossier_jobs;' >/dev/null
document=$(begin_upload)
ask a "select dossier.append_upload('$document', 0, 'hello'); select from dossier.finish_upload('$document', 5, repeat('ab', 32));" >/dev/null
said=$(ask d 'select;' | sed -E 's/ received from server process.*//; s/^Asynchronous notification "([a-z_]+)"( with payload "(.*)")?/\1 \3/' | sort)
is "$said" "dossier_documents {\"document_ids\" : [\"$document\"], \"session_id\" : \"$session\", \"organization_id\" : \"$organization\", \"status\" : \"stored\"}
dossier_jobs " 'a stored document and its job are announced'
ask watch "insert into dossier.documents (session_id, organization_id, user_id, name, media_type)
  select '$session', '$organization', 'race-a', n || '.txt', 'text/plain' from generate_series(1, 250) as n;" >/dev/null
ask d 'select;' >/dev/null
ask a "delete from dossier.documents where session_id = '$session' and status = 'uploading';" >/dev/null
is "$(ask d 'select;' | grep -c '\"status\" : \"deleted\"')" 3 'a statement that deletes 250 documents announces a hundred at a time'


# Live status. Names of channels and ids only, however the change came about.

heard() { ask d 'select;' | sed -E 's/ received from server process.*//; s/^Asynchronous notification "([a-z_]+)"( with payload "(.*)")?/\1 \3/' | sort; }
ask d 'unlisten *; listen dossier_sessions; listen dossier_members;' >/dev/null
ask a "select from dossier.save_context('$session', 'secret words'); select from dossier.update_session('$session', '{\"title\": \"secret\"}');" >/dev/null
is "$(heard)" "dossier_sessions {\"session_ids\" : [\"$session\"]}
dossier_sessions {\"session_ids\" : [\"$session\"]}" 'a saved context and a renamed session are announced'
ask watch "insert into dossier.sessions (organization_id, user_id) select '$organization', 'race-a' from generate_series(1, 250);" >/dev/null
is "$(heard)" '' 'nobody waits for a new session'
ask watch "update dossier.sessions set title = 'all' where organization_id = '$organization';" >/dev/null
is "$(heard | grep -c dossier_sessions)" 3 'a statement that renames 251 sessions announces a hundred at a time'
ask watch "insert into dossier.organization_members (organization_id, user_id, role) select '$organization', 'guest-' || n, 'viewer' from generate_series(1, 50) as n;" >/dev/null
is "$(heard)" '' 'new members lose nothing'
ask watch "delete from dossier.organization_members where organization_id = '$organization' and user_id like 'guest-%';" >/dev/null
is "$(heard)" "dossier_members {\"organization_ids\" : [\"$organization\"]}" 'fifty members who leave at once are one notification'

# Reading the changes: nothing is missed, in whatever order transactions commit. While an older transaction runs, in any
# database of the cluster, changes are read again.

changes() { echo "select dossier.session_changes('$session', $1) ->> '$2';"; }
names() { echo "select string_agg(d ->> 'name', ' ' order by d ->> 'name') from jsonb_array_elements(dossier.session_changes('$session', '$1') -> 'documents') as d;"; }
add() { echo "insert into dossier.documents (session_id, organization_id, user_id, name, media_type) values ('$session', '$organization', 'race-a', '$1', 'text/plain');"; }
# position: the id of a read while nothing else runs.
position() {
  until [ "$(ask watch 'select pg_snapshot_xmin(pg_current_snapshot()) = pg_snapshot_xmax(pg_current_snapshot());')" = t ]; do :; done
  ask c "$(changes null id)"
}
for name in a e f g keeper; do ask "$name" 'rollback; reset role;' >/dev/null; done
ask watch "$(add first.txt)" >/dev/null
since=$(position)
is "$(ask c "$(names "$since")")" '' 'nothing new, nothing returned'
is "$(ask c "$(changes "'$since'" reload)")" false 'and the list need not be read again'
ask a "begin; $(add slow.txt)" >/dev/null
ask watch "$(add quick.txt)" >/dev/null
is "$(ask c "$(names "$since")")" quick.txt 'a later read returns what was committed since'
later=$(ask c "$(changes "'$since'" id)")
ask a 'commit;' >/dev/null
is "$(ask c "$(names "$later")" | grep -o slow.txt)" slow.txt 'a transaction that began earlier and committed later is not missed'
ask a "begin; savepoint part; $(add inner.txt)" >/dev/null
later=$(ask c "$(changes "'$since'" id)")
ask a 'release part; commit;' >/dev/null
is "$(ask c "$(names "$later")" | grep -o inner.txt)" inner.txt 'nor what a subtransaction wrote'
since=$(position)
ask watch "begin; $(add aborted.txt) rollback;" >/dev/null
is "$(ask c "$(names "$since")")" '' 'what was rolled back never was'

echo "1..$count"
exit $((failures > 0))
