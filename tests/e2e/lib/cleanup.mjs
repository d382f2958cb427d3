// Whatever a failed test leaves open would keep its file from ending: closed here. Import it for the effect.

import { after, afterEach } from 'node:test'
import { edges } from './edge.mjs'
import { RawClient } from './net.mjs'

afterEach(() => RawClient.closeAll())
after(() => {
  for (const child of edges) child.kill('SIGKILL')
})
