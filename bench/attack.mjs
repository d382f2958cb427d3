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

/** In the attacker's process: the first message is the stage, and the next one stops the attacks. */
async function attack(name) {
  const [stage] = await once(process, 'message')
  let goesOn = true
  process.once('message', () => { goesOn = false })
  do await attacks[name](stage); while (goesOn)
  process.disconnect()
}

/** The times of a tenant's requests while another process attacks. */
async function during(name, stage) {
  const attacker = fork(import.meta.filename, [name])
  // As a message: the text of its session is too long for an argument.
  attacker.send(stage)
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
  console.log('uploads, lists, searches and saves of a tenant during attacks of another (p95 in milliseconds; at rest just before; ratio)')
  let worst = 0
  for (const name of Object.keys(attacks)) {
    // Just before: the database grows from attack to attack.
    const rest = p95(await work(stage, Promise.resolve(), { samples: SAMPLES }))
    const times = await during(name, stage)
    const ratio = p95(times) / rest
    worst = Math.max(worst, ratio)
    const figures = [p95(times), rest].map((time) => time.toFixed(1).padStart(8)).join('')
    console.log(`  ${name.padEnd(52)} ${figures}   x ${ratio.toFixed(2)}   n ${times.length}`)
  }
  console.log(`  worst x ${worst.toFixed(2)}, budget ${BUDGET}: ${worst <= BUDGET ? 'met' : 'MISSED'}`)
  if (worst > BUDGET) process.exitCode = 1
}

const name = process.argv[2]
if (name) await attack(name)
else await onOwnStack(limits, measure)
