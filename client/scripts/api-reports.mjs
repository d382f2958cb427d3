/**
 * The public API of each package as text, in `etc/`: a review sees there what a change does to users. `--check` compares the
 * reports with the build instead of writing them. Run `npm run build` first.
 */

import { Extractor, ExtractorConfig } from '@microsoft/api-extractor'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

const workspace = new URL('..', import.meta.url).pathname
const check = process.argv.includes('--check')

/** Entry points by the name of their report. `dossier-client/rpc` is generated from the schema, whose snapshot is the report. */
const entries = {
  'dossier-client': 'core/dist/index.d.ts',
  'dossier-client.ai': 'core/dist/ai.d.ts',
  'dossier-react': 'react/dist/index.d.ts',
  'dossier-react.components': 'react/dist/components/index.d.ts',
}

/** Release tags are not used: what an entry point exports is public. Comments are checked by typedoc. */
const quiet = { default: { logLevel: 'none' } }

for (const [report, entry] of Object.entries(entries)) {
  const folder = join(workspace, 'packages', entry.split('/')[0])
  const packageJsonFullPath = join(folder, 'package.json')
  const config = ExtractorConfig.prepare({
    configObjectFullPath: undefined,
    packageJsonFullPath,
    packageJson: JSON.parse(await readFile(packageJsonFullPath, 'utf8')),
    configObject: {
      projectFolder: folder,
      mainEntryPointFilePath: join(workspace, 'packages', entry),
      compiler: { tsconfigFilePath: join(folder, 'tsconfig.json') },
      apiReport: { enabled: true, reportFileName: `${report}.api.md`, reportFolder: join(workspace, 'etc'), reportTempFolder: join(workspace, 'node_modules/.cache/api') },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      newlineKind: 'lf',
      messages: { compilerMessageReporting: quiet, extractorMessageReporting: quiet, tsdocMessageReporting: quiet },
    },
  })
  const { apiReportChanged, succeeded } = Extractor.invoke(config, {
    localBuild: !check,
    showVerboseMessages: false,
    messageCallback: (message) => {
      // Printed below, in words that say what to do. The preamble and the note about versions are noise.
      if (message.logLevel !== 'error') message.handled = true
    },
  })
  if (!check && apiReportChanged) console.log(`etc/${report}.api.md has changed: commit it with the change`)
  if (check && (apiReportChanged || !succeeded)) {
    console.error(`The public API of ${report} is not the one in etc/${report}.api.md. If that is intended, run: npm run api`)
    process.exitCode = 1
  }
}
