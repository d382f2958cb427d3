-- Whole pages with the words of a query marked. See ../setup.sql for how to run this.

begin;
select plan(41);
select tests.fixture();

select is(tests.outcomes($$ select where dossier.mark_page(tests.id('alpha document'), 1, 'hello') = '<mark>hello</mark>' $$),
  'owner 1, admin 1, member 1, viewer 1, other PT404, nobody PT404, anon 42501, service 1', 'callers that read a page with marks');

create function pg_temp.marked(language text, page_text text, query text) returns text
language plpgsql as $$
begin
  perform tests.logout();
  update dossier.documents set language = marked.language where id = tests.id('alpha document');
  update dossier.document_pages set text = page_text where document_id = tests.id('alpha document');
  perform dossier_private.index_document(tests.id('alpha document'));
  perform tests.login('alpha-viewer');
  return dossier.mark_page(tests.id('alpha document'), 1, query);
end
$$;
select is(pg_temp.marked(language, page_text, query), expected, what)
from (values
  ('eng', 'The ships sailed; shipping & handling.', 'ship', 'The <mark>ships</mark> sailed; <mark>shipping</mark> &amp; handling.', 'English stems'),
  ('eng', 'A ship, a port and a sailor.', 'port sailors', 'A ship, a <mark>port</mark> and a <mark>sailor</mark>.', 'each word of a query'),
  ('eng', 'A ship, a port.', 'aeroplane', 'A ship, a port.', 'without a match nothing is marked'),
  ('eng', 'ship port', 'ship -port', '<mark>ship</mark> port', 'an excluded word is not marked'),
  ('eng', 'ship port', '-port', 'ship port', 'even if it is all there is'),
  ('eng', 'a shipment, a shipper', 'shipm*', 'a <mark>shipment</mark>, a shipper', 'a prefix'),
  ('eng', 'ship or port', 'ship or port', '<mark>ship</mark> or <mark>port</mark>', 'alternatives'),
  ('eng', 'Use client/server, e-mail or pat@b.example.', 'client/server e-mail pat@b.example', 'Use <mark>client/server</mark>, <mark>e-mail</mark> or <mark>pat@b.example</mark>.', 'compounds are one word'),
  ('eng', '<script>alert("ship")</script> &amp; ''x''', 'ship amp', '&lt;script&gt;alert(&quot;<mark>ship</mark>&quot;)&lt;/script&gt; &amp;<mark>amp</mark>; ''x''', 'a page cannot write HTML'),
  ('eng', E'ship \uE000b\uE001 \x1e\x1f\x1d ship', 'ship', '<mark>ship</mark>  b      <mark>ship</mark>', 'or pretend to be marked'),
  ('eng', E'one\n\n  two\tship\r\nthree', 'ship', E'one\n\n  two\t<mark>ship</mark>\r\nthree', 'spaces and lines stay'),
  ('deu', 'Die Verträge der Häuser in der Straße, STRASSE.', 'vertrag strasse', 'Die <mark>Verträge</mark> der Häuser in der <mark>Straße</mark>, <mark>STRASSE</mark>.', 'German stems, umlauts and ß'),
  ('deu', 'Die Häuser stehen. Das Haus.', 'Häuser', 'Die <mark>Häuser</mark> stehen. Das <mark>Haus</mark>.', 'a stem that depends on its umlaut'),
  ('deu', 'Ein großer Spaß: Maße, Masse.', 'masse', 'Ein großer Spaß: <mark>Maße</mark>, <mark>Masse</mark>.', 'letters after ß are where they were'),
  ('fra', 'Un chef-d''œuvre, des œuvres.', 'oeuvre', 'Un chef-d''<mark>œuvre</mark>, des <mark>œuvres</mark>.', 'French ligatures'),
  ('spa', 'La información y las informaciones.', 'informaciones', 'La <mark>información</mark> y las <mark>informaciones</mark>.', 'Spanish accents'),
  ('jpn', E'東京都庁は新宿にある。京都は別の都市。', '東京都庁', '<mark>東京都庁</mark>は新宿にある。京都は別の都市。', 'Japanese words, not their pairs of letters'),
  ('jpn', E'東京都\n庁は新宿に\nある。', '東京都庁 新宿', E'<mark>東京都\n庁</mark>は<mark>新宿</mark>に\nある。', 'words across lines, whose breaks stay'),
  ('jpn', E'ＡＢＣ株式会社のサーバー', 'abc', '<mark>ＡＢＣ</mark>株式会社のサーバー', 'full-width letters'),
  ('kor', '한국어 문서를 읽습니다.', '문서', '한국어 <mark>문서</mark>를 읽습니다.', 'Korean words with endings'),
  ('zho', '中华人民共和国，人民。', '人民', '中华<mark>人民</mark>共和国，<mark>人民</mark>。', 'Chinese words inside of longer ones'),
  ('tha', 'ภาษาไทย ภาษา', 'ภาษา', '<mark>ภาษา</mark>ไทย <mark>ภาษา</mark>', 'Thai'),
  (null, 'The ships sailed.', 'ship', 'The <mark>ships</mark> sailed.', 'a language that is guessed'),
  ('eng', E'cafe\u0301 x\u0302', 'cafe', '<mark>café</mark> x', 'marks of letters that Unicode composes, or not'),
  ('eng', repeat('x ', 60000) || 'ship', 'ship', repeat('x ', 60000) || 'ship', 'no more is marked than the index contains, but all is shown'),
  ('eng', '', 'ship', '', 'an empty page'),
  ('eng', 'Who are they? The Who, the  who; whose?', 'The Who', 'Who are they? <mark>The Who</mark>, <mark>the  who</mark>; whose?', 'a name of stop words'),
  ('eng', 'The Who played.', '“the who”', '<mark>The Who</mark> played.', 'within quotation marks'),
  ('eng', 'To be, or not to be: that is the ship.', 'to be or not to be', '<mark>To be, or not to be</mark>: that is the ship.', 'a sentence of stop words'),
  ('eng', 'It is what it is: IT costs.', 'IT costs', 'It is what it is: <mark>IT</mark> <mark>costs</mark>.', 'an abbreviation that is a stop word in small letters'),
  ('eng', 'What is the ship?', 'what is the ship', 'What is the <mark>ship</mark>?', 'stop words among others'),
  ('eng', 'The shipment arrived.', 'shipmnet arrived', 'The <mark>shipment</mark> <mark>arrived</mark>.', 'what a misspelt word is corrected to')
) as t (language, page_text, query, expected, what);

select is(pg_temp.marked('eng', 'A cart.', 'card'), 'A <mark>cart</mark>.', 'a word that no other text contains is misspelt');
select tests.logout();
select from dossier.save_context(tests.id('alpha session'), 'A card.');
select tests.login('alpha-viewer');
select is(dossier.mark_page(tests.id('alpha document'), 1, 'card'), 'A cart.', 'one that another text contains is not');

-- A page that is found is a page with marks, and the other way round.

create function pg_temp.agrees(page_text text, query text) returns boolean
language plpgsql as $$
declare
  marked constant boolean := pg_temp.marked('deu', page_text, query) like '%<mark>%';
begin
  return marked = exists (select from dossier.search(query, organization_id => tests.id('alpha')) as h where h.kind = 'page' and h.corrected is null);
end
$$;
select is_empty($$
  select q.query, q.page_text
  from (values ('ship', 'The ships'), ('ship', 'A port'), ('"ship sails"', 'the ship sails'), ('Straße', 'strasse'), ('straße', 'Strafe'),
    ('京都', '東京都'), ('東京', '京都'), ('cafe', 'Café'), ('12345', 'no 12345'), ('client/server', 'client server')) as q (query, page_text)
  where not pg_temp.agrees(q.page_text, q.query)
$$, 'pages that are found have marks, others do not');

select tests.login('alpha-viewer');
select is(dossier.mark_page(tests.id('alpha document'), 2, 'ship'), null, 'a page that does not exist');
select tests.refuses($$ select dossier.mark_page(tests.id('beta document'), 1, 'ship') $$, 'PT404', 'Document not found', 'another tenant''s');
select tests.refuses($$ select dossier.mark_page(tests.id('alpha document'), 1, ' ') $$, 'PT400', 'The query must have 1 to 1000 characters', 'a blank query');
select tests.logout();
delete from dossier_private.search_entries where document_id = tests.id('alpha document');
update dossier.document_pages set text = 'Das Haus, die Häuser' where document_id = tests.id('alpha document');
select tests.login('alpha-viewer');
select is(dossier.mark_page(tests.id('alpha document'), 1, 'haus'), 'Das <mark>Haus</mark>, die <mark>Häuser</mark>', 'a page that is not in the index yet');
select tests.logout();
select from dossier.delete_sessions(array[tests.id('alpha session')]);
select tests.login('alpha-viewer');
select tests.refuses($$ select dossier.mark_page(tests.id('alpha document'), 1, 'ship') $$, 'PT404', 'Document not found', 'one in the trash');
select tests.logout();

select * from finish();
rollback;
