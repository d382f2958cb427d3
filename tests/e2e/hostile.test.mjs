// Files made to crash the worker, through the stack under test.

import { databaseUrl, edgePid, edgeUrl } from './lib/env.mjs'
import { hostileSuite } from './lib/hostile-suite.mjs'

const running = () => {
  try {
    return process.kill(edgePid, 0)
  } catch {
    return false
  }
}

hostileSuite(() => ({ url: edgeUrl, databaseUrl, running }))
