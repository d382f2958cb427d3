/** React hooks for Dossier, on TanStack Query. */

export { useCanWrite } from './hooks/use-can-write.js'
export { useDocument, useDocumentChanges, useDocumentPages, useDocuments, useThumbnail } from './hooks/use-documents.js'
export { useLimits, useMembers, useOrganizations, useUsage } from './hooks/use-organizations.js'
export { usePack, useSearch } from './hooks/use-search.js'
export { useContextVersion, useContextVersions, useSessionContext } from './hooks/use-session-context.js'
export { useSessionData } from './hooks/use-session-data.js'
export { useSession, useSessions, useTrash } from './hooks/use-sessions.js'
export { useUnfinishedUploads, useUpload, useUploads, useUploadStates } from './hooks/use-uploads.js'
export { DossierProvider, useDossierClient, type DossierProviderProps } from './provider.js'
export { dossierKeys, dossierQueries } from './queries.js'
