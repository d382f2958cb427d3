'use client'

import { useQuery } from '@tanstack/react-query'
import { useDossierClient } from '../provider.js'
import { dossierQueries } from '../queries.js'

/**
 * Whether the user may change a session: everyone but viewers of its organization. Undefined until that is known. This decides
 * what is offered; Postgres decides what happens.
 */
export function useCanWrite(sessionId: string | undefined): boolean | undefined {
  const client = useDossierClient()
  const session = useQuery({ ...dossierQueries.session(client, sessionId ?? ''), enabled: sessionId !== undefined })
  const organizationId = session.data?.organization_id
  const organization = useQuery({ ...dossierQueries.organization(client, organizationId ?? ''), enabled: organizationId !== undefined })
  // An app may keep its members where no role can be read. Then the server refuses, with a reason.
  if (organization.isError) return true
  return organization.data && organization.data.role !== 'viewer'
}
