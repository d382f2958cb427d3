// How much slower one tenant becomes while another attacks, in each of the ways of tests/e2e/fairness.test.mjs. Budget: the
// 95th percentile of its requests is at most twice the one at rest.

import { attacks, limits, p95, prepare, work } from '../tests/e2e/lib/attacks.mjs'
import { onOwnStack } from './lib/bench.mjs'

const BUDGET = 2

await onOwnStack(limits, async ({ edge }) => {
  const stage = await prepare(edge.url)
  await work(stage, Promise.resolve())
  const rest = (await work(stage, new Promise((done) => { setTimeout(done, 10_000) }))).concat()
  console.log(`uploads, lists, searches and saves of a tenant during attacks of another (p95 in milliseconds, share of the p95 at rest)`)
  console.log(`  ${'at rest'.padEnd(48)} ${p95(rest).toFixed(1).padStart(8)}`)
  let worst = 0
  for (const [name, run] of Object.entries(attacks)) {
    const attacking = run(stage)
    const [times] = await Promise.all([work(stage, attacking), attacking])
    const ratio = p95(times) / p95(rest)
    worst = Math.max(worst, ratio)
    console.log(`  ${name.padEnd(48)} ${p95(times).toFixed(1).padStart(8)}   x ${ratio.toFixed(2)}   n ${times.length}`)
  }
  console.log(`  worst x ${worst.toFixed(2)}, budget ${BUDGET}: ${worst <= BUDGET ? 'met' : 'MISSED'}`)
  if (worst > BUDGET) process.exitCode = 1
})
