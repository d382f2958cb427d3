// More edges on the same database, each with its own settings.

import { spawn } from 'node:child_process'
import { edgeBinary, edgeDatabaseUrl, jwtSecret, workerBinary } from './env.mjs'
import { freePort, until } from './net.mjs'

/** The processes of running edges. */
export const edges = new Set()

/**
 * Starts an edge and waits until it is ready. `environment` is added to the required settings. `through`: a command that
 * starts it in its own place.
 */
export async function startEdge(environment = {}, { ready = '/readyz', through = [] } = {}) {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const [command, ...args] = [...through, edgeBinary]
  const child = spawn(command, args, {
    env: {
      PATH: process.env.PATH,
      DATABASE_URL: edgeDatabaseUrl,
      DOSSIER_EXTRACT_WORKER: workerBinary,
      JWT_SECRET: jwtSecret,
      LISTEN: `127.0.0.1:${port}`,
      LOG_FORMAT: 'json',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let log = ''
  let exited = null
  child.stdout.on('data', (data) => { log += data })
  child.stderr.on('data', (data) => { log += data })
  edges.add(child)
  const ended = new Promise((done) => child.once('exit', (code, signal) => {
    edges.delete(child)
    exited = { code, signal }
    done(exited)
  }))
  const edge = {
    url,
    pid: child.pid,
    ended,
    log: () => log,
    running: () => exited === null,
    signal: (name) => child.kill(name),
    async stop() {
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), 15_000)
      await ended
      clearTimeout(timer)
    },
  }
  try {
    await until('the edge ready', async () => {
      if (exited) throw new Error(`the edge ended (${JSON.stringify(exited)}):\n${log}`)
      return fetch(`${url}${ready}`).then((response) => response.ok, () => false)
    })
  } catch (error) {
    child.kill('SIGKILL')
    throw new Error(`${error.message}\n${log}`)
  }
  return edge
}
