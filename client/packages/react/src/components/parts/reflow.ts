const LIST = /^\s*(?:[-–—•*·]|\d{1,3}[.)]|[a-z][.)])\s/
const TABLE = /\t|\S {3,}\S|\|/

/**
 * Joins the lines of a paragraph, which a PDF breaks where its page ends. A line is joined to the next one if it is nearly as
 * long as the longest: then it ended for want of room. Lists, tables and short lines stay as they are.
 * `html` may contain `<mark>`, which does not count.
 */
export function reflow(html: string): string {
  const lines = html.split('\n')
  const length = (line: string) => line.replace(/<\/?mark>/g, '').trimEnd().length
  const longest = lines.reduce((most, line) => Math.max(most, TABLE.test(line) ? 0 : length(line)), 0)
  if (longest < 40) return html
  let text = ''
  lines.forEach((line, index) => {
    const next = lines[index + 1]
    text += line
    if (next === undefined) return
    const plain = next.replace(/<\/?mark>/g, '')
    const joins = length(line) >= 0.72 * longest && plain.trim() !== '' && !LIST.test(plain) && !TABLE.test(line) && !TABLE.test(next)
    text = joins ? (/[\p{L}\d]-$/u.test(text) ? text : `${text.trimEnd()} `) : `${text}\n`
  })
  return text
}
