/** Numbers, sizes and times in the language of the reader. */
export interface Format {
  readonly locale: string
  number(value: number): string
  percent(fraction: number): string
  bytes(value: number): string
  /** A size above a limit: exact, if both would read the same. */
  bytesOver(value: number, limit: number): string
  /** A duration, such as "3 s" or "2 min". */
  seconds(value: number): string
  /** Relative up to a week, a date after that. */
  when(time: string | number | Date, now?: number): string
  /** Chooses among the plural forms of the language. */
  plural(count: number, forms: { one: string; other: string }): string
  list(items: readonly string[]): string
}

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const
const STEPS = [
  ['minute', 60],
  ['hour', 3600],
  ['day', 86400],
] as const

/** `justNow` stands for less than a minute; without it there is the word that the browser knows. */
export function createFormat(locale: string, justNow?: string): Format {
  const number = new Intl.NumberFormat(locale)
  const percent = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 0 })
  const plurals = new Intl.PluralRules(locale)
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' })
  const list = new Intl.ListFormat(locale)
  const unit = (value: number, name: string, digits = 0) =>
    // The short form of "byte" is "byte" in English, even for two of them.
    new Intl.NumberFormat(locale, { style: 'unit', unit: name, unitDisplay: name === 'byte' ? 'long' : 'short', maximumFractionDigits: digits }).format(value)

  const bytes = (value: number) => {
    let step = 0
    let size = value
    while (size >= 1000 && step < UNITS.length - 1) {
      size /= 1000
      step += 1
    }
    return unit(size, UNITS[step] ?? 'byte', step > 0 && size < 10 ? 1 : 0)
  }

  return {
    locale,
    number: (value) => number.format(value),
    // Never "100 %" before the end, so that a bar does not seem stuck at the last step.
    percent: (fraction) => percent.format(Math.floor(Math.min(1, Math.max(0, fraction)) * 100) / 100),
    bytes,
    bytesOver: (value, limit) => (bytes(value) === bytes(limit) ? unit(value, 'byte') : bytes(value)),
    seconds(value) {
      const seconds = Math.max(1, Math.ceil(value))
      if (seconds < 100) return `${number.format(seconds)}\u00a0s`
      const minutes = Math.ceil(seconds / 60)
      return minutes < 100 ? unit(minutes, 'minute') : unit(Math.ceil(minutes / 60), 'hour')
    },
    when(time, now = Date.now()) {
      const date = new Date(time)
      const seconds = (date.getTime() - now) / 1000
      const past = Math.abs(seconds)
      if (past < 45) return justNow ?? relative.format(0, 'second')
      if (past >= 7 * 86400) {
        const year = date.getFullYear() === new Date(now).getFullYear() ? {} : ({ year: 'numeric' } as const)
        return new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', ...year }).format(date)
      }
      let [name, size]: readonly [Intl.RelativeTimeFormatUnit, number] = STEPS[0]
      for (const step of STEPS) if (past >= step[1]) [name, size] = step
      return relative.format(Math.round(seconds / size), name)
    },
    plural: (count, forms) => (plurals.select(count) === 'one' ? forms.one : forms.other).replace('#', number.format(count)),
    list: (items) => list.format(items),
  }
}
