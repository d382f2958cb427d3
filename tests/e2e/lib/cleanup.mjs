// Closes whatever a failed test leaves open, because that would keep the test file running. Import it for the effect.

import { after, afterEach } from 'node:test'
import { edges } from './edge.mjs'
import { RawClient } from './net.mjs'

afterEach(() => RawClient.closeAll())
after(() => {
  for (const child of edges) child.kill('SIGKILL')
})
