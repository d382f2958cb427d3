// Measuring: compared operations run alternately, in one process, against one stack.

import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { call, multipart, newSession } from '../../tests/e2e/lib/api.mjs'
import { isNative, newDatabase } from '../../tests/e2e/lib/database.mjs'
import { startEdge } from '../../tests/e2e/lib/edge.mjs'
import { RawClient } from '../../tests/e2e/lib/net.mjs'
import { member } from '../../tests/e2e/lib/people.mjs'

export const file = (name) => readFileSync(join(process.env.DOSSIER_BENCH_FILES, name))
export const filePath = (name) => join(process.env.DOSSIER_BENCH_FILES, name)

/** A new database, an edge on it, and a session, passed to `run` and removed afterwards. */
export async function onOwnStack(environment, run) {
  const database = await newDatabase({ native: await isNative() })
  let edge
  try {
    edge = await startEdge({ DATABASE_URL: database.edgeUrl, LOG: 'warn', RATE_LIMIT_PER_MINUTE: '0', ...environment })
    const session = await newSession(member, {}, { url: edge.url })
    await run({ database, edge, session })
  } finally {
    await edge?.stop()
    await database.drop()
  }
}

/** The libpq program: each `go()` does the work once and returns milliseconds. */
export function libpq(...args) {
  const child = spawn(process.env.DOSSIER_BENCH_LIBPQ, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    async go() {
      child.stdin.write('go\n')
      const { value, done } = await lines.next()
      if (done) throw new Error('the libpq program ended')
      return Number(value) / 1000
    },
    close: () => child.stdin.end(),
  }
}

/**
 * A connection that begins with `setup` and then runs any statement: `go(statement)` returns milliseconds, `cpu()` the
 * CPU milliseconds of the backend since its start. Other work on the machine affects the latter less.
 */
export async function ask(conninfo, ...setup) {
  const child = spawn(process.env.DOSSIER_BENCH_LIBPQ, ['ask', conninfo, ...setup], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  async function next() {
    const { value, done } = await lines.next()
    if (done) throw new Error('the libpq program ended')
    return Number(value)
  }
  const backend = await next()
  return {
    async go(statement) {
      child.stdin.write(`${statement.replaceAll('\n', ' ')}\n`)
      return (await next()) / 1000
    },
    cpu: () => Number(readFileSync(`/proc/${backend}/schedstat`, 'utf8').split(' ')[0]) / 1e6,
    close: () => child.stdin.end(),
  }
}

/** A request that is built once and sent many times over one connection; `go()` asserts, and returns milliseconds. */
export async function http(edge, method, path, { body = Buffer.alloc(0), headers = {}, status }) {
  const client = await RawClient.open(edge.url)
  const fields = Object.entries({
    host: 'localhost', authorization: `Bearer ${member.token}`, 'content-length': String(body.length), ...headers,
  })
  const head = `${method} ${path} HTTP/1.1\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`
  const request = Buffer.concat([Buffer.from(head), body])
  return {
    client,
    async go() {
      client.received = Buffer.alloc(0)
      const answered = new Promise((done, fail) => {
        const closed = () => fail(new Error(`the edge closed the connection: ${client.received}`))
        const look = () => {
          const response = wholeResponse(client.received)
          if (!response) return
          client.socket.off('data', look).off('close', closed)
          if (response.startsWith(`HTTP/1.1 ${status} `)) done()
          else fail(new Error(response))
        }
        client.socket.on('data', look).once('close', closed)
      })
      const start = performance.now()
      client.socket.write(request)
      await answered
      return performance.now() - start
    },
    close: () => client.close(),
  }
}

/** The response in `bytes`, as text, once it is complete. */
export function wholeResponse(bytes) {
  const split = bytes.indexOf('\r\n\r\n')
  if (split < 0) return null
  const head = bytes.subarray(0, split).toString()
  const length = head.match(/content-length: (\d+)/i)?.[1]
  const whole = length === undefined ? bytes.subarray(-5).toString() === '0\r\n\r\n' : bytes.length >= split + 4 + Number(length)
  return whole ? bytes.toString() : null
}

/** The body and media type of a form with one file. */
export function form(sessionId, name, type, content) {
  return multipart([{ name: 'session_id', content: sessionId }, { name: 'files', filename: name, type, content }])
}

export const json = (value) => ({ body: Buffer.from(JSON.stringify(value)), headers: { 'content-type': 'application/json' } })
export const deleteDocument = (edge, id) => call('DELETE', `/api/documents/${id}`, { as: member, url: edge.url })

/** Runs `subjects` (name to async function that returns milliseconds) alternately, `rounds` times. */
export async function inTurn(subjects, rounds, warmUp = 3) {
  const times = Object.fromEntries(Object.keys(subjects).map((name) => [name, []]))
  for (let round = -warmUp; round < rounds; round += 1) {
    for (const [name, go] of Object.entries(subjects)) {
      const time = await go()
      if (round >= 0) times[name].push(time)
    }
  }
  return Object.fromEntries(Object.entries(times).map(([name, list]) => [name, summary(list)]))
}

export function summary(times) {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
  return { median: at(0.5), low: at(0.25), high: at(0.75), p95: at(0.95), worst: sorted.at(-1), count: sorted.length }
}

const digits = (number) => number.toFixed(number < 10 ? 2 : 1)

/** Prints a table of summaries; the others are compared with the first. */
export function report(title, results) {
  console.log(`${title} (milliseconds: median, middle half, worst)`)
  const base = Object.values(results)[0].median
  for (const [name, { median, low, high, worst, count }] of Object.entries(results)) {
    console.log(`  ${name.padEnd(44)} ${digits(median).padStart(8)}   ${digits(low)} .. ${digits(high)}, ${digits(worst)}   x ${(median / base).toFixed(2)}   n ${count}`)
  }
}
