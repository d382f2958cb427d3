// The stack under test, described by environment variables only.

function required(name) {
  const value = process.env[name]
  if (!value) throw new Error(`${name} is not set; run the tests by ./dev test e2e, or see tests/e2e/README.md`)
  return value
}

export const edgeUrl = required('DOSSIER_URL')
/** The owner's connection, to query rows. */
export const databaseUrl = required('DOSSIER_DATABASE_URL')
/** The login of edges. */
export const edgeDatabaseUrl = process.env.DOSSIER_EDGE_DATABASE_URL || databaseUrl
export const jwtSecret = required('DOSSIER_JWT_SECRET')
export const fixturesDirectory = required('DOSSIER_FIXTURES')
export const edgePid = Number(required('DOSSIER_EDGE_PID'))
export const edgeBinary = required('DOSSIER_EDGE_BIN')
export const workerBinary = required('DOSSIER_WORKER_BIN')
/** The plain SQL of hosted installs, written by ./dev dist. */
export const hostedSql = required('DOSSIER_HOSTED_SQL')
