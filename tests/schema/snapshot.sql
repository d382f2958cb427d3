-- The schema as text, the same in both install modes: everything a client or an upgrade can notice. Bodies of functions are in
-- sql/ already; -v bodies=true adds a digest of each. Run by ./dev snapshot and ./dev test sql (psql -At).

select :{?bodies} as with_bodies \gset
select line from dossier_private.describe_schema(:'with_bodies');
