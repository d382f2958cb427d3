import { Fragment } from 'react'

const ENTITIES: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', '#39': "'", '#x27': "'", apos: "'" }

/** A piece of text, and whether the server marked it as a match. */
export interface Piece {
  text: string
  marked: boolean
}

/**
 * Reads the server's HTML: escaped text with matches in `<mark>`. Nothing is ever inserted as HTML: any other tag would be
 * shown as the letters it consists of.
 */
export function parseMarked(html: string): Piece[] {
  const pieces: Piece[] = []
  let marked = false
  for (const part of html.split(/(<\/?mark>)/)) {
    if (part === '<mark>') marked = true
    else if (part === '</mark>') marked = false
    else if (part) pieces.push({ marked, text: part.replace(/&(#?\w+);/g, (whole, name: string) => ENTITIES[name] ?? whole) })
  }
  return pieces
}

/** Text with its matches marked. */
export function Marked({ html }: { html: string }) {
  return parseMarked(html).map((piece, index) =>
    piece.marked ? <mark key={index}>{piece.text}</mark> : <Fragment key={index}>{piece.text}</Fragment>,
  )
}
