-- Demo data: two organizations and their users. Run as the owner of the database. It can be repeated.
--
--   user                 id (sub of the token)                  member of
--   owner@acme.example   11111111-1111-4111-8111-111111111111   Acme, owner
--   member@acme.example  11111111-1111-4111-8111-222222222222   Acme, member
--   viewer@acme.example  11111111-1111-4111-8111-333333333333   Acme, viewer
--   owner@globex.example 22222222-2222-4222-8222-111111111111   Globex, owner
--
--   organization         id
--   Acme                 aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa
--   Globex               bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb

insert into dossier.organizations (id, name) values
  ('aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa', 'Acme'),
  ('bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb', 'Globex')
on conflict do nothing;

insert into dossier.organization_members (organization_id, user_id, role) values
  ('aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa', '11111111-1111-4111-8111-111111111111', 'owner'),
  ('aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa', '11111111-1111-4111-8111-222222222222', 'member'),
  ('aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa', '11111111-1111-4111-8111-333333333333', 'viewer'),
  ('bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb', '22222222-2222-4222-8222-111111111111', 'owner')
on conflict do nothing;
