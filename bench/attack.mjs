// How much slower one tenant becomes while another attacks, in each of the ways of tests/e2e/fairness.test.mjs. Budget: the
// 95th percentile of its requests is at most twice the one at rest. The attacker is a process of its own, and attacks again and
// again.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { attacks, limits, p95, prepare, work } from '../tests/e2e/lib/attacks.mjs'
import { onOwnStack } from './lib/bench.mjs'

const BUDGET = 2
/** Enough for the 95th percentile not to be one slow request. */
const SAMPLES = 400

/** In the attacker's process: attacks until a message stops it. */
async function attack(name, stage) {
  let goesOn = true
  process.once('message', () => { goesOn = false })
  do await attacks[name](stage); while (goesOn)
  process.disconnect()
}

/** The times of a tenant's requests while another process attacks. */
async function during(name, stage) {
  const attacker = fork(import.meta.filename, [name, JSON.stringify(stage)])
  const ended = once(attacker, 'exit')
  const times = await work(stage, Promise.resolve(), { samples: SAMPLES })
  attacker.send('stop')
  const [code] = await ended
  if (code !== 0) throw new Error(`the attacker failed during ${name}`)
  return times
}

async function measure({ database, edge }) {
  const stage = await prepare(edge.url, database.superuserUrl)
  await work(stage, Promise.resolve())
  const rest = p95(await work(stage, Promise.resolve(), { samples: SAMPLES }))
  console.log('uploads, lists, searches and saves of a tenant during attacks of another (p95 in milliseconds, share of the p95 at rest)')
  console.log(`  ${'at rest'.padEnd(60)} ${rest.toFixed(1).padStart(8)}`)
  let worst = 0
  for (const name of Object.keys(attacks)) {
    const times = await during(name, stage)
    const ratio = p95(times) / rest
    worst = Math.max(worst, ratio)
    console.log(`  ${name.padEnd(60)} ${p95(times).toFixed(1).padStart(8)}   x ${ratio.toFixed(2)}   n ${times.length}`)
  }
  console.log(`  worst x ${worst.toFixed(2)}, budget ${BUDGET}: ${worst <= BUDGET ? 'met' : 'MISSED'}`)
  if (worst > BUDGET) process.exitCode = 1
}

const [name, stage] = process.argv.slice(2)
if (name) await attack(name, JSON.parse(stage))
else await onOwnStack(limits, measure)
