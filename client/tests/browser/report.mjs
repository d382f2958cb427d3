// A PDF of three pages that Chromium printed: tests/fixtures/print.sh.

import { readFileSync } from 'node:fs'

export const report = readFileSync(new URL('../../../tests/fixtures/print/report.pdf', import.meta.url))
