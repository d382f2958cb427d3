-- How search interprets words: accents, distinct letters, scripts without spaces. See ../setup.sql for how to run this.

begin;
select plan(152);
select tests.fixture();

-- Letters.

select is(dossier_private.fold(text), folded, 'as search reads ' || text)
from (values
  ('plain <b>ASCII</b>', 'plain  b ASCII  b '), ('client/server, e-mail: a_b@c.example', 'client server, e mail  a b c example'),
  ('Crème Brûlée', 'Creme Brulee'), (U&'Zu\0308rich', 'Zurich'), (U&'\01FF', 'o'),
  ('Łódź, Đà Nẵng, Smørrebrød, Malta Ħ, Ðórr, ıstanbul, ſ', 'Lodz, Da Nang, Smorrebrod, Malta H, Dorr, istanbul, s'),
  ('Straße, STRAẞE, Ægir, œuvre, Þór', 'Strasse, STRASSE, AEgir, oeuvre, THor'),
  ('ё й ά हिन्दी', 'ё й ά हिन्दी'), -- in other scripts a mark makes another letter
  ('ＧＰＵ ｘ２', 'GPU x2')
) as t (text, folded);
select is(dossier_private.fold(text), dossier_private.fold(normalize(text, nfd)), 'however it is composed: ' || text)
from (values ('Łódź'), ('Smørrebrød'), ('が서울')) as t (text);

-- Pairs.

select is(dossier_private.pair_letters(text), paired, 'the index has ' || translate(paired, E'\n', ' '))
from (values
  ('plain', 'plain'), ('café', 'café'), ('東', ' 東 '), ('東京都', ' 東京 京都 都 '), ('GPUを使う2', 'GPU を使 使う う 2'),
  (E'東\n京', ' 東京 京 '), (E'東\n\n京', E' 東 \n\n 京 '), (E'서울\n에', E' 서울 울 \n 에 '), ('東、京', ' 東 、 京 '), ('กข', ' กข ข ')
) as t (text, paired);
select ok(octet_length(dossier_private.search_vector('simple', (
    select string_agg(chr(131072 + n), '') from generate_series(1, 100000) as n where n < 42000
  ) || (select string_agg(chr(19968 + n % 20000) || chr(19968 + n * 7 % 20000), '') from generate_series(1, 30000) as n), '{}')::text) > 0,
  'however many pairs a text has, they fit');

select is(dossier_private.parse_search('english', query)::text, parsed, query || ' is read as ' || parsed)
from (values
  ('東京都庁', '''東京'' <-> ''京都'' <-> ''都庁'''),
  ('庁', '''庁'':*'),
  ('東京*', '''東京'''),
  ('-東京都 大阪', '!( ''東京'' <-> ''京都'' ) & ''大阪'''),
  ('東京 or 大阪', '''東京'' | ''大阪'''),
  ('"東京 大阪"', '''東京'' <2> ''大阪'''),
  ('2020年3月', '''2020'' <-> ''年'':* <-> ''3'' <-> ''月'':*'),
  ('-GPU使用', '!( ''gpu'' <-> ''使用'' )'),
  ('zq1zq hors*', '''zq1zq'' & ( ''hors'':* | ''hor'' )'),
  ('"lease of thir* rent" or -wine', '''leas'' <2> ''thir'':* <-> ''rent'' | !''wine'''),
  ('"GPU用メモリ 32"', '''gpu'' <-> ( ''用メ'' <-> ''メモ'' <-> ''モリ'' ) <2> ''32'''),
  ('or the or rent or', '''rent'''),
  ('running 서울 hors*', '''run'' & ''서울'' & ( ''hors'':* | ''hor'' )')
) as t (query, parsed);

select is(dossier_private.search_vector('english', text, '{}') @@ dossier_private.parse_search('english', query), hit,
  format('%s %s %s', query, case when hit then 'finds' else 'does not find' end, translate(text, E'\n', ' ')))
from (values
  ('我住在東京都庁附近', '東京都', true), ('我住在東京都庁附近', '京東', false), ('我住在東京都庁附近', '東京都 我住', true),
  ('我住在東京都庁附近', '近', true), ('我住在東京都庁附近', '住', true), ('我住在東京都庁附近', '大', false),
  ('我住在東京都庁附近', '東京 -都庁', false), (E'我住在東\n京都', '東京都', true), ('東京から京都', '東京都', false),
  ('GPUを使う', 'gpu', true), ('GPUを使う', 'GPUを', true), ('GPUを使う', '使う', true),
  ('2020年3月に', '２０２０年３月', true), ('2020年3月に', '2021年', false),
  ('東京 大阪', '"東京 大阪"', true), ('東京 と 大阪', '"東京 大阪"', false),
  ('서울에서 살다', '서울', true), ('서울에서 살다', U&'\1109\1165\110B\116E\11AF', true),
  ('อยู่ที่กรุงเทพมหานคร', 'กรุงเทพ', true), ('ร้านอาหาร', 'อาหาร', true), ('Straße', 'strasse', true), ('Lodz', 'Łódź', true)
) as t (text, query, hit);

-- Compounds.

select is(dossier_private.search_vector('english', text, '{}') @@ dossier_private.parse_search('english', query), hit,
  format('%s %s %s', query, case when hit then 'finds' else 'does not find' end, text))
from (values
  ('client/server', 'server', true), ('client/server', 'client/server', true), ('client/server', 'server/client', false), ('client/server', '"client server"', true),
  ('an e-mail', 'e-mai*', true), ('an e-mail', 'e-mail', true), ('an e-mail', 'mail', true), ('well-known', 'well-kno*', true), ('state-of-the-art', 'state-of-the-ar*', true),
  ('user@example.com', 'user@exam*', true), ('user@example.com', 'example', true), ('report.final.pdf', 'report.fin*', true), ('docs/operations.md', 'docs/oper*', true),
  ('see https://docs.rs/pgrx?a=b', 'docs.rs', true), ('see https://docs.rs/pgrx?a=b', 'https://docs.rs/pgrx', true), ('3.14', '3.14', true), ('3.14', '3.15', false),
  ('/etc/hosts', '/etc/hosts', true), ('at -5 degrees', '5', true), ('one two', 'one -two', false), ('one two', 'one-two', true), ('one two', 'one - two', true),
  ('rock''n''roll', 'rock''n''roll', true), ('R&D', 'r&d', true), ('it''s well-known', '-well-known', false), ('snake_case', 'case', true)
) as t (text, query, hit);
select lives_ok(format('select dossier_private.parse_search(%L, %L)', config, query), left(query, 40))
from unnest(array['simple', 'english', 'german']) as config,
  unnest(array[$$example.com/x'zq1zq'y abc*$$, repeat('ა', 1000), repeat('ა', 999) || '*', $$'*' \* ''' "*$$, '=*=', '-', repeat('東*', 333), repeat('a=', 500), $$a:*b&(c|d)!<->$$]) as query;
select ok(dossier_private.search_vector('simple', string_agg(word, ' '), '{}') is not null, 'a text of more different words than fit')
from (select repeat(U&'\0958\0959', 2) || n as word from generate_series(1, 9000) as n) as words;

-- Stems and accents.

select is(dossier_private.search_vector(config, text, '{}') @@ dossier_private.parse_search(config, query), hit,
  format('%s: %s %s %s', config, query, case when hit then 'finds' else 'does not find' end, text))
from (values
  ('spanish', 'las informaciones', 'información', true), ('spanish', 'la información', 'informaciones', true), ('spanish', 'la información', 'informacion', true),
  ('spanish', 'la informacion', 'información', true), ('spanish', 'la facturación', 'facturas', true), ('spanish', 'la facturación', '"la facturación"', true),
  ('spanish', 'nuestra información nueva', '"información nueva"', true), ('spanish', 'nuestra información nueva', '"informacion nueva"', true),
  ('spanish', 'la información', 'venta -información', false), ('portuguese', 'as informações', 'informação', true), ('portuguese', 'as informacoes', 'informações', true),
  ('french', 'elles sont créées', 'créer', true), ('french', 'les employées', 'employés', true), ('german', 'die Häuser', 'haus', true), ('german', 'die Häuser', 'hauser', true),
  ('simple', 'información', 'informacion', true), ('russian', 'новые счета', 'счет', true), ('swedish', 'kötträtter', 'kottratter', true)
) as t (config, text, query, hit);
select is(dossier_private.highlight(config, text, dossier_private.parse_search(config, query)), expected, config || ': ' || query)
from (values
  ('spanish', 'toda la información aquí', 'informaciones', 'toda la <mark>información</mark> aquí'),
  ('spanish', 'toda la información aquí', 'informacion', 'toda la <mark>información</mark> aquí'),
  ('french', 'elles sont créées/faites', 'créer', 'elles sont <mark>créées</mark>/faites'),
  ('german', 'Straßen, Häuser', 'straße', '<mark>Straßen</mark>, Häuser')
) as t (config, text, query, expected);

-- Excerpts.

select is(dossier_private.highlight('english', text, dossier_private.parse_search('english', query)), expected, query || ' in ' || translate(left(text, 30), E'\n', ' '))
from (values
  ('我住在<東京都庁>附近', '東京都', '我住在&lt;<mark>東京都</mark>庁&gt;附近'),
  ('我住在東京都庁附近', '東京 都庁', '我住在<mark>東京都庁</mark>附近'),
  ('我住在東京都庁附近', '近', '我住在東京都庁附<mark>近</mark>'),
  (E'我住在東\n京都庁附近', '東京都', '我住在<mark>東京都</mark>庁附近'),
  ('ＧＰＵを使う人', 'GPUを', '<mark>ＧＰＵを</mark>使う人'),
  ('ＧＰＵを使う人', 'gpu', '<mark>ＧＰＵ</mark>を使う人'),
  ('2020年3月に', '２０２０年３月', '<mark>2020年3月</mark>に'),
  ('서울에서 살다', '서울', '<mark>서울</mark>에서 살다'),
  ('อยู่ที่กรุงเทพมหานคร', 'กรุงเทพ', 'อยู่ที่<mark>กรุงเทพ</mark>มหานคร'),
  ('東京で running horses', 'run 東京', '<mark>東京</mark>で <mark>running</mark> horses'),
  ('Die Straße nach Łódź & zurück', 'strasse lodz', 'Die <mark>Straße</mark> nach <mark>Łódź</mark> &amp; zurück'),
  ('the client/server model', '"client server"', 'the <mark>client/server</mark> model'),
  ('mail a@b.example now', 'b.example', 'mail a@<mark>b.example</mark> now'),
  (E'Ægir \u001e und Straße', 'strasse', 'Ægir   und <mark>Straße</mark>')
) as t (text, query, expected);
select is(char_length(regexp_replace(dossier_private.highlight('simple', repeat('前後', 2000) || '東京' || repeat('前後', 2000),
  dossier_private.parse_search('simple', '東京')), '</?mark>', '', 'g')) between 40 and 200, true, 'an excerpt of an endless run is short');

-- End to end.

update dossier.document_pages set text = '東京都庁で会議' where document_id = tests.id('alpha document');
select dossier_private.index_document(tests.id('alpha document'));
select tests.login('alpha-viewer');
select results_eq($$ select kind, page, snippet from dossier.search('都庁') $$,
  $$ values ('page', 1, '東京<mark>都庁</mark>で会議') $$, 'a page is found by letters within a run');
select is(dossier.pack_context(tests.id('alpha session'), '会議') #>> '{quotes,0,text}', '東京都庁で会議', 'and packed');
select tests.logout();
update dossier.documents set name = '議事録 東京.txt' where id = tests.id('alpha document');
select tests.login('alpha-viewer');
select results_eq($$ select kind, snippet from dossier.search('議事 東京') $$,
  $$ values ('name', '議事録 東京.txt'), ('page', '<mark>東京</mark>都庁で会議') $$, 'so is a name');
select tests.logout();

select * from finish();
rollback;
