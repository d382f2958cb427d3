import { defineConfig } from 'vitest/config'

// The tests import the packages by name, as an app does, but from their sources: no build is needed first.
const source = (path: string) => new URL(path, import.meta.url).pathname

export default defineConfig({
  resolve: {
    alias: [
      { find: /^dossier-client$/, replacement: source('packages/core/src/index.ts') },
      { find: /^dossier-client\/ai$/, replacement: source('packages/core/src/ai.ts') },
      { find: /^dossier-client\/rpc$/, replacement: source('packages/core/src/rpc.ts') },
      { find: /^dossier-react$/, replacement: source('packages/react/src/index.ts') },
    ],
  },
  test: {
    include: ['packages/*/test/**/*.test.{ts,tsx}'],
    restoreMocks: true,
    // A busy machine is slow, not wrong.
    testTimeout: 30_000,
    setupFiles: ['packages/react/test/setup.ts'],
  },
})
