import { useMembers, useOrganizations, useUsage } from 'dossier-react'
import { useMessages } from 'dossier-react/components'
import type { Organization } from 'dossier-client'
import { useQuery } from '@tanstack/react-query'
import { demoUsers, type Identity } from './identity.ts'
import { Problem, Waiting } from './problem.tsx'
import { useWords } from './words.ts'

export function Members({ identity }: { identity: Identity }) {
  const words = useWords()
  const { organizations, isLoading, error } = useOrganizations()
  return (
    <div className="page">
      <div className="page-head">
        <h1>{words.members}</h1>
      </div>
      {error ? (
        <div className="empty">
          <p>{words.noMembers}</p>
        </div>
      ) : isLoading ? (
        <Waiting />
      ) : (
        organizations.map((organization) => <MembersOf key={organization.id} organization={organization} identity={identity} />)
      )}
    </div>
  )
}

function MembersOf({ organization, identity }: { organization: Organization; identity: Identity }) {
  const words = useWords()
  const { f } = useMessages()
  const { members, isLoading, error, refetch } = useMembers(organization.id)
  const { usage } = useUsage(organization.id)
  // An app asks its auth server for names. The demo knows the demo users.
  const people = useQuery({ queryKey: ['demo', 'users'], queryFn: demoUsers, staleTime: Infinity })
  const emailOf = (id: string) => (id === identity.id ? identity.email : people.data?.find((user) => user.id === id)?.email)
  return (
    <section className="members">
      <div className="members-head">
        <h2>{organization.name}</h2>
        {usage && <p className="small">{words.usageText(f.number(usage.documents), f.bytes(usage.bytes))}</p>}
      </div>
      {error ? (
        <Problem what={words.membersOf(organization.name)} error={error} onRetry={() => void refetch()} />
      ) : isLoading ? (
        <Waiting rows={3} />
      ) : (
        <ul className="rows">
          {members.map((member) => (
            <li key={member.user_id} className="dossier">
              <span className={emailOf(member.user_id) ? 'row-title' : 'row-title mono'}>
                {emailOf(member.user_id) ?? member.user_id}
                {member.user_id === identity.id && <span className="small"> ({words.you})</span>}
              </span>
              <span className="row-type">{words.roles[member.role] ?? member.role}</span>
              <time className="row-time" dateTime={member.created_at}>
                {words.joined(f.when(member.created_at))}
              </time>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}
