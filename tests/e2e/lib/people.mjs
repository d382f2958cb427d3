// The demo organizations and their people, as scripts/seed.sql makes them.

import { sign } from './token.mjs'
import { jwtSecret } from './env.mjs'

export const acme = 'aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa'
export const globex = 'bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb'

function person(sub, email) {
  const claims = { sub, email, role: 'authenticated', aud: 'authenticated' }
  return { sub, email, claims, token: sign(claims, { secret: jwtSecret }) }
}

export const owner = person('11111111-1111-4111-8111-111111111111', 'owner@acme.example')
export const member = person('11111111-1111-4111-8111-222222222222', 'member@acme.example')
export const viewer = person('11111111-1111-4111-8111-333333333333', 'viewer@acme.example')
export const stranger = person('22222222-2222-4222-8222-111111111111', 'owner@globex.example')

export const serviceToken = sign({ role: 'service_role', iss: 'supabase' }, { secret: jwtSecret })
export const anonToken = sign({ role: 'anon', iss: 'supabase' }, { secret: jwtSecret })
