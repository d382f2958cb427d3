// BM25 as one would write it in thirty lines. The stems come from Postgres.

import { literal, rows } from '../../tests/e2e/lib/psql.mjs'

const configurations = { eng: 'english', deu: 'german', nld: 'dutch', swe: 'swedish', dan: 'danish', nob: 'norwegian', fra: 'french', spa: 'spanish' }
const configuration = (language) => configurations[language] ?? 'english'
const fold = (text) => text.normalize('NFD').replace(/[\u0300-\u036f]/g, '').replace(/ø/g, 'o').replace(/ß/g, 'ss').replace(/[“”«»]/g, ' ')
  .replace(/[\u3040-\u30ff\u4e00-\u9fff]+/g, (run) => [...run].map((letter, at) => letter + (run[at + 1] ?? '')).join(' '))

/** For each text, how often it contains each stem. */
async function stems(texts, url) {
  const found = await rows(`
    select t.n, coalesce(jsonb_object_agg(s.lexeme, cardinality(s.positions)) filter (where s.lexeme is not null), '{}') as stems
    from jsonb_to_recordset(${literal(JSON.stringify(texts.map(({ text, config }, n) => ({ n, text: fold(text), config }))))}) as t (n integer, text text, config text)
    left join lateral unnest(to_tsvector(t.config::regconfig, t.text)) as s on true
    group by t.n order by t.n`, { url })
  return found.map((row) => new Map(Object.entries(row.stems)))
}

/** The best five units ({kind, id, page, language, text}) for each question. */
export async function bm25(units, questions, url, { k = 1.2, b = 0.75 } = {}) {
  const bags = await stems(units.map(({ text, language }) => ({ text, config: configuration(language) })), url)
  const lengths = bags.map((bag) => [...bag.values()].reduce((sum, count) => sum + count, 0))
  const mean = lengths.reduce((sum, length) => sum + length, 0) / units.length
  const containing = new Map()
  for (const bag of bags) for (const stem of bag.keys()) containing.set(stem, (containing.get(stem) ?? 0) + 1)
  const used = [...new Set(units.map(({ language }) => configuration(language)))]
  const asked = Object.fromEntries(await Promise.all(used.map(async (config) =>
    [config, await stems(questions.map(({ query }) => ({ text: query, config })), url)])))
  return questions.map((_, number) => units
    .map((unit, n) => {
      const words = [...asked[configuration(unit.language)][number].keys()].filter((stem) => bags[n].has(stem))
      const score = words.reduce((sum, stem) => {
        const rarity = Math.log(1 + (units.length - containing.get(stem) + 0.5) / (containing.get(stem) + 0.5))
        const count = bags[n].get(stem)
        return sum + (rarity * count * (k + 1)) / (count + k * (1 - b + (b * lengths[n]) / mean))
      }, 0)
      return { ...unit, score }
    })
    .filter(({ score }) => score > 0)
    .toSorted((one, other) => other.score - one.score)
    .slice(0, 5))
}
