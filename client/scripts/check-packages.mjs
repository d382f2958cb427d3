/**
 * Checks the packages as npm would publish them: their contents (publint), their types for every way to resolve them (attw),
 * with the compilers and versions of React that they support, and that they can be imported where there is no browser. Also
 * that the examples of README.md compile, and that each file with a hook says so for React Server Components. Run `npm run
 * build` first.
 */

import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'

const run = promisify(execFile)
const workspace = new URL('..', import.meta.url).pathname
const packages = ['core', 'react'].map((name) => join(workspace, 'packages', name))
const findings = []

async function published(folder) {
  const { messages, pkg } = await publint({ pkgDir: folder, level: 'suggestion', strict: true })
  for (const message of messages) findings.push(`publint, ${pkg.name}: ${formatMessage(message, pkg)}`)
}

/** The packages are ESM only, and Node 10 is not supported: these findings are intended. */
const intended = new Set(['CJSResolvesToESM', 'NoResolution'])

async function typed(folder, scratch) {
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', scratch], { cwd: folder })
  const packed = JSON.parse(stdout)
  const [{ filename, name }] = Array.isArray(packed) ? packed : Object.values(packed)
  const tarball = createPackageFromTarballData(new Uint8Array(await readFile(join(scratch, filename))))
  const entrypoints = { excludeEntrypoints: [/\.css$/] }
  const { problems, types } = await checkPackage(tarball, entrypoints)
  if (!types) findings.push(`attw, ${name}: no types`)
  for (const problem of problems ?? []) {
    const node10 = problem.resolutionKind === 'node10'
    if (!(intended.has(problem.kind) && (problem.kind === 'CJSResolvesToESM' || node10))) findings.push(`attw, ${name}: ${JSON.stringify(problem)}`)
  }
}

/** What the examples of README.md take from the app around them. */
const around = {
  dossier: "import('dossier-client').DossierClient",
  file: 'File',
  id: 'string',
  key: 'string',
  model: "import('ai').LanguageModel",
  sessionId: 'string',
  supabase: "import('dossier-client').SupabaseLike",
  token: 'string',
  url: 'string',
}

/** The examples of README.md as modules, so that they compile like the app does. Their own imports and names come first. */
async function examples(scratch) {
  const readme = await readFile(join(workspace, 'README.md'), 'utf8')
  const blocks = [...readme.matchAll(/^```tsx?\n([^]*?)^```/gm)].map(([, code]) => code)
  if (blocks.length === 0) findings.push('README.md: no examples')
  return Promise.all(blocks.map(async (code, index) => {
    const given = Object.entries(around)
      .filter(([name]) => !new RegExp(`^const ${name}\\b`, 'm').test(code))
      .map(([name, type]) => `declare const ${name}: ${type}\n`)
    const imported = /import \{ createDossierClient \}/.test(code) ? '' : "import { createDossierClient } from 'dossier-client'\n"
    const path = join(scratch, `example-${index + 1}.tsx`)
    await writeFile(path, `${imported}${given.join('')}declare function Conversation(props: { id: string }): null\n${code}export {}\n`)
    return path
  }))
}

const compilers = { 5.9: 'typescript', '6.0': 'typescript-6', '7.0': 'typescript-7' }

async function compiles(compiler, module, react, scratch, files = []) {
  const types = `@types/${react}`
  const config = join(scratch, `tsconfig.${compiler}.${module}.${react}.json`)
  const root = join(workspace, 'node_modules')
  await writeFile(config, JSON.stringify({
    compilerOptions: {
      target: 'es2022', lib: ['es2022', 'dom', 'dom.iterable'], strict: true, exactOptionalPropertyTypes: false, jsx: 'react-jsx', noEmit: true, skipLibCheck: false,
      module: module === 'bundler' ? 'esnext' : 'node16', moduleResolution: module, types: [],
      paths: { react: [join(root, types)], 'react/*': [join(root, types, '*')] },
    },
    files: [join(workspace, 'consumer/app.tsx'), ...files],
  }))
  await run(process.execPath, [join(root, compilers[compiler], 'bin/tsc'), '-p', config], { cwd: workspace, maxBuffer: 1 << 24 }).catch(({ stdout, stderr }) => {
    // Types are checked in libraries, too, but the errors of other packages are not ours.
    const ours = stdout.split(/\n(?=\S)/).filter((error) => error && !/^node_modules\/(?!\.cache\/)/.test(error))
    const understood = stdout.includes('error TS') && !stderr
    if (!understood || ours.length > 0) findings.push(`TypeScript ${compiler}, ${module} resolution, ${react}:\n${understood ? ours.join('\n') : stdout + stderr}`)
  })
}

/** Whether the built entry can be imported by Node, without a browser. */
async function imports(folder) {
  const { name, exports } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
  for (const [path, target] of Object.entries(exports)) {
    if (typeof target !== 'object' || !target.default.endsWith('.js')) continue
    const entry = join(folder, target.default)
    await run(process.execPath, ['--input-type=module', '--eval', `await import(${JSON.stringify(entry)})`]).catch(({ stderr }) => findings.push(`import of ${name} ${path} without a browser:\n${stderr}`))
  }
}

/** Files of the React package that call hooks but do not begin with 'use client'. */
async function directives() {
  const source = join(workspace, 'packages/react/src')
  for (const file of await readdir(source, { recursive: true })) {
    if (!/\.tsx?$/.test(file)) continue
    const text = await readFile(join(source, file), 'utf8')
    if (/\b(?:use[A-Z]\w*|createContext)\s*(?:<[^()]*>)?\(/.test(text.replace(/\/\*[^]*?\*\/|\/\/.*/g, '')) && !/^'use client'/.test(text)) {
      findings.push(`packages/react/src/${file} calls a hook, but does not begin with 'use client'`)
    }
  }
}

// In the workspace, so that what the consumer imports resolves as it would in an app.
const parent = join(workspace, 'node_modules/.cache')
await mkdir(parent, { recursive: true })
const scratch = await mkdtemp(join(parent, 'check-'))
try {
  await directives()
  for (const folder of packages) {
    await published(folder)
    await typed(folder, scratch)
    await imports(folder)
  }
  for (const compiler of Object.keys(compilers)) await compiles(compiler, 'bundler', 'react', scratch, await examples(scratch))
  await compiles('5.9', 'node16', 'react', scratch)
  await compiles('5.9', 'bundler', 'react-18', scratch)
} finally {
  await rm(scratch, { recursive: true, force: true })
}
for (const finding of findings) console.error(finding)
process.exitCode = findings.length > 0 ? 1 : 0
