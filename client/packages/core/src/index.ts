/** The client of Dossier for browsers and Node. */

export * from './client.js'
export { createDossierClient } from './create.js'
export * from './errors.js'
export type * from './events/types.js'
export type { GetToken } from './tokens.js'
export * from './types.js'
