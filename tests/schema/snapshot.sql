-- The schema as text, the same in both install modes: what a client or an upgrade can notice. Bodies of functions are in
-- sql/ already; with -v bodies=true a digest of each is told too. Run by ./dev snapshot and ./dev test sql (psql -At).

select :{?bodies} as with_bodies \gset
select line from dossier_private.describe_schema(:'with_bodies');
