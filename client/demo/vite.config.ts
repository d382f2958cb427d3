import { readdirSync, rmSync } from 'node:fs'
import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'

const here = (path: string) => new URL(path, import.meta.url).pathname
const source = (path: string) => here(`../packages/${path}`)
const edge = process.env['DOSSIER_URL'] ?? 'http://127.0.0.1:8080'

/** Where the edge embeds the result from. Its .gitignore stays. */
const outDir = here('../../edge-proxy/demo')

const emptyBefore: Plugin = {
  name: 'empty-before',
  apply: 'build',
  buildStart() {
    for (const name of readdirSync(outDir)) if (name !== '.gitignore') rmSync(`${outDir}/${name}`, { recursive: true })
  },
}

/** Every browser that has light-dark() reads WOFF 2. */
const onlyWoff2: Plugin = {
  name: 'only-woff2',
  enforce: 'pre',
  transform: (code, id) =>
    id.includes('@fontsource') && id.endsWith('.css') ? code.replace(/,\s*url\([^)]*\.woff\)\s*format\(['"]woff['"]\)/g, '') : null,
}

// The packages are taken from their sources: no build is needed first. The edge serves the files below /demo, and the index at /.
export default defineConfig({
  base: '/demo/',
  plugins: [emptyBefore, onlyWoff2, react()],
  resolve: {
    alias: [
      { find: /^dossier-client\/ai$/, replacement: source('core/src/ai.ts') },
      { find: /^dossier-client$/, replacement: source('core/src/index.ts') },
      { find: /^dossier-react\/styles\.css$/, replacement: source('react/src/components/styles.css') },
      { find: /^dossier-react\/components$/, replacement: source('react/src/components/index.ts') },
      { find: /^dossier-react$/, replacement: source('react/src/index.ts') },
    ],
  },
  // Fonts stay files: the content security policy allows no data: URLs.
  build: { outDir, emptyOutDir: false, target: 'es2022', assetsInlineLimit: 0, reportCompressedSize: false, modulePreload: { polyfill: false } },
  server: { proxy: { '/api': edge, '/demo/users': edge, '/demo/token': edge } },
})
