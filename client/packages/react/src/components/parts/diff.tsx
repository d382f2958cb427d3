'use client'
import { diffLines, diffWordsWithSpace } from 'diff'
import { useMemo } from 'react'
import { useMessages } from '../messages/index.js'

/** Texts that are longer together are compared line by line: comparing words takes quadratic time. */
const MOST_CHARACTERS = 60_000

/** The words that lead from one text to another. */
export function WordDiff({ from, to, label }: { from: string; to: string; label: string }) {
  const { m } = useMessages()
  const parts = useMemo(() => (from.length + to.length > MOST_CHARACTERS ? diffLines(from, to) : diffWordsWithSpace(from, to)), [from, to])
  return (
    <div className="dossier-diff" role="group" aria-label={label} tabIndex={0}>
      {parts.map((part, index) =>
        part.added ? (
          <ins key={index}>
            <span className="dossier-hidden">{m.added} </span>
            {part.value}
          </ins>
        ) : part.removed ? (
          <del key={index}>
            <span className="dossier-hidden">{m.removed} </span>
            {part.value}
          </del>
        ) : (
          <span key={index}>{part.value}</span>
        ),
      )}
    </div>
  )
}

/** Both texts as one: equal lines once, differing lines of both, one after the other. Nothing is lost. */
export function bothTexts(theirs: string, mine: string): string {
  const line = (text: string) => (text.endsWith('\n') ? text : `${text}\n`)
  return diffLines(line(theirs), line(mine))
    .map((part) => part.value)
    .join('')
    .replace(/\n$/, '')
}
