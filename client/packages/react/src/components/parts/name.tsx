/** How many characters of the end stay visible: enough for "v2 final.pdf". */
const TAIL = 12

/** A file name inside a sentence, cut in the middle if it is long. The whole name stands elsewhere. */
export function shortName(name: string): string {
  const letters = Array.from(name)
  return letters.length > 2.5 * TAIL ? `${letters.slice(0, TAIL).join('')}…${letters.slice(-TAIL).join('')}` : name
}

/** A file name, cut in the middle if it is too long. The whole name is in the title, and is what screen readers hear. */
export function FileName({ name }: { name: string }) {
  const letters = Array.from(name)
  const tail = letters.length > 2 * TAIL ? letters.slice(-TAIL).join('') : ''
  return (
    <span className="dossier-name" title={name}>
      <span className="dossier-hidden">{name}</span>
      <bdi aria-hidden="true">{tail ? letters.slice(0, -TAIL).join('') : name}</bdi>
      {tail && <bdi aria-hidden="true">{tail}</bdi>}
    </span>
  )
}
