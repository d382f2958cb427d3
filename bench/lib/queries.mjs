// Queries that people would send, made from the texts of an organization, the same every time.

import { literal, rows } from '../../tests/e2e/lib/psql.mjs'

/** `count` queries of each kind. */
export async function queriesOf({ organization }, count, url) {
  const pages = await rows(`
    select text from dossier.document_pages where organization_id = ${literal(organization)}
    order by md5(document_id::text || page) limit 1000`, { url })
  const texts = pages.map(({ text }) => text.split(' '))
  const found = new Map() // the number of pages with a word
  for (const text of texts) for (const word of new Set(text)) found.set(word, (found.get(word) ?? 0) + 1)
  const [{ said }] = await rows(`
    select array(select word from unnest(${literal(`{${[...found.keys()]}}`)}::text[]) as word
      where to_tsvector('pg_catalog.english', word) <> '' and to_tsvector('pg_catalog.german', word) <> '') as said`, { url })
  const tells = new Set(said) // words that are not stop words

  const words = texts.flatMap((text) => text.filter((word) => tells.has(word)))
  const pairs = texts.flatMap((text) => text.slice(1).map((word, place) => [text[place], word]))
    .filter((pair) => pair.every((word) => tells.has(word)))
  const some = (list) => Array.from({ length: count }, (_, n) => list[(n * 7919 + 17) % list.length])
  return {
    'a word': some(words),
    'two words': some(texts).map((text) => text.filter((word) => tells.has(word)).filter((_, n, all) => n === 0 || n === all.length - 1).join(' ')),
    'a question of ten words': some(texts).map((text) => Array.from({ length: 10 }, (_, n) => text[Math.floor((n * text.length) / 10)]).join(' ')),
    'a phrase': some(pairs).map((pair) => `"${pair.join(' ')}"`),
    // Matches as many pages as a prefix of four letters does in English: made-up words vary less.
    'a prefix': some(words.filter((word) => word.length >= 6)).map((word) => `${word.slice(0, 6)}*`),
    'a common word': some([...tells].filter((word) => found.get(word) >= texts.length / 5)),
    'a rare word': some([...tells].filter((word) => found.get(word) === 1)),
    'no match': some([...Array(count).keys()]).map((n) => `absent${n}`),
  }
}
