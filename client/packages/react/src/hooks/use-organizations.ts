'use client'

import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { Role } from 'dossier-client'
import { useMemo } from 'react'
import { useDossierClient } from '../provider.js'
import { dossierKeys, dossierQueries } from '../queries.js'
import { usePages } from './use-pages.js'

/** The organizations of the user. */
export function useOrganizations() {
  const client = useDossierClient()
  const { rows: organizations, ...list } = usePages(useInfiniteQuery(dossierQueries.organizations(client)))
  return { organizations, ...list }
}

/** The members of an organization, and changing them. */
export function useMembers(organizationId: string) {
  const client = useDossierClient()
  const queries = useQueryClient()
  const { rows: members, error, ...list } = usePages(useInfiniteQuery(dossierQueries.members(client, organizationId)))
  const change = useMutation({
    mutationFn: (call: () => Promise<unknown>) => call(),
    onSuccess: () => queries.invalidateQueries({ queryKey: [...dossierKeys.organizations, organizationId, 'members'] }),
  })
  const { mutateAsync } = change
  const calls = useMemo(
    () => ({
      addMember: (userId: string, role?: Role) => mutateAsync(() => client.organizations.addMember(organizationId, userId, role)),
      setRole: (userId: string, role: Role) => mutateAsync(() => client.organizations.setRole(organizationId, userId, role)),
      removeMember: (userId: string) => mutateAsync(() => client.organizations.removeMember(organizationId, userId)),
    }),
    [client, organizationId, mutateAsync],
  )
  return { members, ...list, ...calls, error: error ?? change.error }
}

/** What an organization stores, and its quotas. */
export function useUsage(organizationId: string) {
  const client = useDossierClient()
  const { data: usage, isLoading, error } = useQuery(dossierQueries.usage(client, organizationId))
  return { usage, isLoading, error }
}

/** The limits of uploads and contexts. */
export function useLimits() {
  const client = useDossierClient()
  const { data: limits, isLoading, error } = useQuery(dossierQueries.limits(client))
  return { limits, isLoading, error }
}
