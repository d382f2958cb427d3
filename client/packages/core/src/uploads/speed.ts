/** How fast bytes are sent, over the last seconds. */

const WINDOW = 5_000
/** An estimate from less is noise. */
const LEAST = 500

export class Speed {
  #samples: { at: number; sent: number }[] = []

  /** Begins a new attempt, which has already sent `sent` bytes. */
  start(sent: number, at: number): void {
    this.#samples = [{ at, sent }]
  }

  add(sent: number, at: number): void {
    this.#samples.push({ at, sent })
    // The oldest sample that is kept is at least as old as the window, or the first.
    while (this.#samples.length > 2 && at - this.#samples[1]!.at >= WINDOW) this.#samples.shift()
  }

  /** Null until enough is known. */
  get bytesPerSecond(): number | null {
    const first = this.#samples[0]
    const last = this.#samples.at(-1)
    if (!first || !last || last.at - first.at < LEAST) return null
    return ((last.sent - first.sent) * 1000) / (last.at - first.at)
  }
}
