// Tokens verified by published keys: three algorithms, rotation, and algorithm confusion.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { assertError, get } from './lib/api.mjs'
import { jwtSecret } from './lib/env.mjs'
import { startEdge } from './lib/edge.mjs'
import { until } from './lib/net.mjs'
import { member } from './lib/people.mjs'
import { jwksServer, keyPair, sign } from './lib/token.mjs'
import './lib/cleanup.mjs'

const keys = { ES256: keyPair('ES256', 'ec-1'), RS256: keyPair('RS256', 'rsa-1'), EdDSA: keyPair('EdDSA', 'ed-1') }
let jwks
let edge

before(async () => {
  jwks = await jwksServer(...Object.values(keys))
  edge = await startEdge({
    JWT_SECRET: undefined, JWKS_URL: jwks.url, JWT_ISSUER: 'https://issuer.example', JWKS_MIN_INTERVAL_SECONDS: '1', EXTRACT_WORKERS: '0',
  })
})
after(async () => {
  await edge?.stop()
  await jwks?.close()
})

const claims = { ...member.claims, iss: 'https://issuer.example' }
const knock = (token) => get('/api/sessions?limit=1', { as: token, url: edge.url })
const refused = async (token) => assertError(await knock(token), 401, 'PT401')

for (const alg of Object.keys(keys)) {
  test(`${alg} tokens are verified`, async () => {
    const token = keys[alg].sign(claims)
    assert.equal((await knock(token)).status, 200)
    assert.equal((await knock(token)).status, 200, 'and the second time')
    const [head, , signature] = token.split('.')
    const changed = Buffer.from(JSON.stringify({ ...claims, sub: 'someone-else', exp: 4102444800 })).toString('base64url')
    await refused(`${head}.${changed}.${signature}`)
    await refused(keyPair(alg, keys[alg].kid).sign(claims))
  })
}

test('HS256 signed with a public key, in any of its forms, is a forgery', async () => {
  for (const pair of Object.values(keys)) {
    for (const secret of [pair.pem, pair.pem.trim(), JSON.stringify(pair.jwk), pair.jwk.n ?? pair.jwk.x, Buffer.from(pair.jwk.n ?? pair.jwk.x, 'base64url')]) {
      await refused(sign(claims, { secret, header: { kid: pair.kid } }))
      await refused(sign(claims, { secret }))
    }
  }
})

test('HS256 with the right secret is refused if no secret is configured', async () => {
  await refused(sign(claims, { secret: jwtSecret }))
})

test('a key verifies its own algorithm only', async () => {
  await refused(keys.ES256.sign(claims, { kid: 'rsa-1' }))
  await refused(keys.RS256.sign(claims, { alg: 'PS256' }))
  await refused(keys.RS256.sign(claims, { alg: 'RS512' }))
  await refused(keys.EdDSA.sign(claims, { alg: 'ES256', kid: 'ec-1' }))
})

test('another issuer, or none, is refused', async () => {
  await refused(keys.ES256.sign({ ...claims, iss: 'https://other.example' }))
  await refused(keys.ES256.sign({ ...claims, iss: undefined }))
})

test('a new key is found by its id, with one request for many tokens', async () => {
  const next = keyPair('ES256', 'ec-2')
  await refused(next.sign(claims))
  jwks.publish(...Object.values(keys), next)
  await until('the new key accepted', async () => (await knock(next.sign(claims))).status === 200, { seconds: 15 })

  const again = keyPair('ES256', 'ec-3')
  jwks.publish(...Object.values(keys), next, again)
  const count = jwks.requests
  await until('the next one accepted', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => knock(again.sign(claims))))
    return answers.every((answer) => answer.status === 200)
  }, { seconds: 15 })
  assert.ok(jwks.requests - count <= 5, `${jwks.requests - count} requests for the keys`)
})

test('unknown ids do not make the edge fetch the keys repeatedly', async () => {
  const count = jwks.requests
  const unknown = keyPair('ES256', 'never-published')
  const started = Date.now()
  for (let index = 0; index < 100; index += 1) await refused(unknown.sign(claims, { kid: `unknown-${index}` }))
  const most = 2 + Math.ceil((Date.now() - started) / 1000)
  assert.ok(jwks.requests - count <= most, `${jwks.requests - count} requests for the keys, at most ${most}`)
})

test('while the keys cannot be fetched, known keys still work', async () => {
  const kept = await jwksServer(keys.ES256)
  const other = await startEdge({ JWT_SECRET: undefined, JWKS_URL: kept.url, JWKS_MIN_INTERVAL_SECONDS: '0', EXTRACT_WORKERS: '0' })
  try {
    assert.equal((await get('/api/sessions', { as: keys.ES256.sign(claims), url: other.url })).status, 200)
    await kept.close()
    const unknown = await get('/api/sessions', { as: keyPair('ES256', 'gone').sign(claims), url: other.url })
    assert.ok([401, 502, 503].includes(unknown.status), `${unknown.status} ${unknown.text}`)
    assert.equal((await get('/api/sessions', { as: keys.ES256.sign({ ...claims, jti: 'fresh' }), url: other.url })).status, 200)
  } finally {
    await other.stop()
  }
})

test('secret and keys together: each verifies its own algorithms', async () => {
  const both = await startEdge({ JWKS_URL: jwks.url, EXTRACT_WORKERS: '0' })
  try {
    const knockBoth = (token) => get('/api/sessions?limit=1', { as: token, url: both.url })
    assert.equal((await knockBoth(sign(claims, { secret: jwtSecret }))).status, 200)
    assert.equal((await knockBoth(keys.ES256.sign(claims))).status, 200)
    assertError(await knockBoth(sign(claims, { secret: keys.RS256.pem, header: { kid: 'rsa-1' } })), 401, 'PT401')
    // Supabase sets a key id in HS256 tokens too. The algorithm decides.
    assert.equal((await knockBoth(sign(claims, { secret: jwtSecret, header: { kid: 'legacy' } }))).status, 200)
  } finally {
    await both.stop()
  }
})
