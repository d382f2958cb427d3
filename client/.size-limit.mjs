/** How large the packages may be in an app, minified and gzipped. What is loaded later is a chunk of its own. */

/** As bundlers build the modules of an app. Otherwise what is loaded later would count as the helpers that emulate `import()`. */
const modifyEsbuildConfig = (config) => ({ ...config, format: 'esm' })
const ofApp = ['react', 'react-dom', '@tanstack/react-query', 'dossier-client']
const limits = [
  { name: 'dossier-client', path: 'packages/core/dist/index.js', import: '{ createDossierClient }', limit: '9 kB', ignore: ['*/streamed.js', '*/tus.js'] },
  {
    name: 'dossier-client, loaded with the first large file',
    path: ['packages/core/dist/uploads/tus.js', 'packages/core/dist/uploads/streamed.js'],
    limit: '6 kB',
  },
  { name: 'dossier-react, the hooks', path: 'packages/react/dist/index.js', import: '*', limit: '6 kB', ignore: ofApp },
  { name: 'dossier-react/components, with the hooks', path: 'packages/react/dist/components/index.js', import: '*', limit: '25 kB', ignore: [...ofApp, 'react-dropzone'] },
  { name: 'dossier-react/styles.css', path: 'packages/react/src/components/styles.css', limit: '5 kB' },
]

export default limits.map((limit) => ({ gzip: true, modifyEsbuildConfig, ...limit }))
