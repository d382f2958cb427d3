-- The estimate of tokens: its arithmetic, and that it is not below a tokenizer's count. See ../setup.sql for how to run this.

begin;
select plan(9);

select is(dossier.estimate_tokens(''), 0, 'an empty text has no tokens');
select is(dossier.estimate_tokens(null), null, 'null stays null');
select is(dossier.estimate_tokens('a'), 1, 'a letter is one');
select is(dossier.estimate_tokens(repeat('a', 350)), 100, 'two for seven characters');
select is(dossier.estimate_tokens(repeat('7', 400)), 300, 'three for four digits');
select is(dossier.estimate_tokens(repeat('я', 350)), 223, 'a second byte weighs 0.35');

-- Counted with o200k_base, the vocabulary of docs/tokens.md.
select cmp_ok(dossier.estimate_tokens(sample.text), '>=', sample.tokens, 'no less than counted: ' || left(sample.text, 20))
from (values
  ('Alle Menschen sind frei und gleich an Würde und Rechten geboren. Sie sind mit Vernunft und Gewissen begabt und sollen einander im Geist der Brüderlichkeit begegnen.', 38),
  ('吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。何でも薄暗いじめじめした所でニャーニャー泣いていた事だけは記憶している。', 61)
) as sample (text, tokens);
select is(tests.outcomes($$ select where dossier.estimate_tokens('a') = 1 $$),
  'owner 1, admin 1, member 1, viewer 1, other 1, nobody 1, anon 42501, service 1', 'callers that may estimate');

select * from finish();
rollback;
