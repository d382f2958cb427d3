// Tokens verified by the shared secret.

import assert from 'node:assert/strict'
import { createHmac, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { assertError, get } from './lib/api.mjs'
import { jwtSecret } from './lib/env.mjs'
import { anonToken, member, serviceToken } from './lib/people.mjs'
import { sign, unsigned } from './lib/token.mjs'

const seconds = () => Math.floor(Date.now() / 1000)
const knock = (token, headers) => get('/api/sessions?limit=1', { as: token, headers })
const good = (more = {}, options = {}) => sign({ ...member.claims, ...more }, { secret: jwtSecret, ...options })

async function refused(token, why) {
  const body = assertError(await knock(token), 401, 'PT401')
  if (why) assert.match(`${body.message} ${body.details} ${body.hint}`, why)
  return body
}

test('a valid token is accepted', async () => {
  assert.equal((await knock(good())).status, 200)
  assert.equal((await knock(undefined, { authorization: `bearer ${good()}` })).status, 200, 'the scheme in any case')
})

test('a missing token, or one that is not a bearer token, is refused', async () => {
  const response = await knock(undefined)
  assertError(response, 401, 'PT401')
  assert.match(response.headers.get('www-authenticate') ?? '', /Bearer/)
  for (const authorization of ['Bearer', 'Bearer ', 'Basic dXNlcjpwYXNz', `Token ${good()}`, good()]) {
    assertError(await knock(undefined, { authorization }), 401, 'PT401')
  }
})

test('a malformed token is refused', async () => {
  for (const token of ['x', 'a.b', 'a.b.c', '...', good().slice(0, -3), `${good()}x`, `${good()}.x`, 'é'.repeat(3).normalize('NFD').replace(/[^\x00-\x7f]/g, 'e'), 'a'.repeat(20_000)]) {
    const response = await knock(token)
    assert.ok([401, 431].includes(response.status), `${response.status} for ${token.slice(0, 40)}`)
  }
})

test('an expired token is refused after half a minute of grace', async () => {
  await refused(good({ exp: seconds() - 45 }), /expired/i)
  assert.equal((await knock(good({ exp: seconds() - 5 }))).status, 200, 'clocks differ')
  await refused(good({ nbf: seconds() + 120 }))
  await refused(good({ exp: 'tomorrow' }))
})

test('a claim of the wrong type is named', async () => {
  for (const [claims, message] of [[{ exp: String(seconds() + 99) }, /claim exp must be a number/], [{ nbf: String(seconds()) }, /claim nbf must be a number/],
    [{ sub: 5 }, /claim sub must be a string/], [{ role: ['authenticated'] }, /claim role must be a string/], [{ iss: {} }, /claim iss must be a string/],
    [{ aud: 7 }, /claim aud must be a string or a list of strings/]]) {
    await refused(good(claims), message)
  }
})

test('a claim that the database cannot store is refused as a fault of the token', async () => {
  const signed = (payload) => {
    const content = `${Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url')}.${Buffer.from(payload).toString('base64url')}`
    return `${content}.${createHmac('sha256', jwtSecret).update(content).digest('base64url')}`
  }
  const payload = (metadata) => `${JSON.stringify({ ...member.claims, exp: seconds() + 99 }).slice(0, -1)},"user_metadata":${metadata}}`
  assert.equal((await knock(signed(payload('{"n":"a\\u0001"}')))).status, 200)
  for (const metadata of ['{"n":"a\\u0000"}', '{"a\\u0000":1}', '[[{"n":"\\ud83d"}]]']) await refused(signed(payload(metadata)), /token/)
})

test('timestamps may have a fraction', async () => {
  assert.equal((await knock(good({ exp: seconds() + 600.5, nbf: seconds() - 0.5 }))).status, 200)
})

test('a token without an expiry is refused', async () => {
  await refused(good({ exp: undefined }))
})

test('a token signed with another secret is refused', async () => {
  await refused(sign(member.claims, { secret: randomBytes(32).toString('hex') }))
  await refused(sign(member.claims, { secret: '' }))
})

test('a token changed after signing is refused', async () => {
  const [header, , signature] = good().split('.')
  const claims = Buffer.from(JSON.stringify({ ...member.claims, role: 'service_role', exp: seconds() + 600 })).toString('base64url')
  await refused(`${header}.${claims}.${signature}`)
})

test('alg none is refused, however it is spelled', async () => {
  for (const alg of ['none', 'None', 'NONE', 'nOnE', '']) {
    await refused(unsigned(member.claims, alg))
    const content = unsigned(member.claims, alg)
    await refused(content + createHmac('sha256', jwtSecret).update(content.slice(0, -1)).digest('base64url'))
  }
})

test('an algorithm other than HS256 is refused', async () => {
  for (const [alg, hash] of [['HS384', 'sha384'], ['HS512', 'sha512']]) {
    const head = Buffer.from(JSON.stringify({ alg, typ: 'JWT' })).toString('base64url')
    const body = Buffer.from(JSON.stringify({ ...member.claims, exp: seconds() + 600 })).toString('base64url')
    await refused(`${head}.${body}.${createHmac(hash, jwtSecret).update(`${head}.${body}`).digest('base64url')}`)
  }
  for (const alg of ['RS256', 'ES256', 'EdDSA']) await refused(good({}, { header: { alg } }))
})

test('a header with its own key or with crit is refused', async () => {
  await refused(good({}, { header: { crit: ['exp', 'b64'], b64: false } }))
  const attacker = sign(member.claims, { secret: 'attacker', header: { jwk: { kty: 'oct', k: Buffer.from('attacker').toString('base64url') }, jku: 'http://127.0.0.1:1/' } })
  await refused(attacker)
})

test('a token for another audience is refused', async () => {
  await refused(good({ aud: 'another-app' }), /audience/i)
  assert.equal((await knock(good({ aud: ['another-app', 'authenticated'] }))).status, 200, 'one of several is enough')
})

test('the API keys of the project are recognized', async () => {
  const service = await knock(serviceToken)
  assert.equal(service.status, 200, service.text)
  const anonymous = await knock(anonToken)
  assert.ok([200, 401].includes(anonymous.status), anonymous.text)
  if (anonymous.status === 200) assert.deepEqual(anonymous.json.sessions, [])
})

test('API keys of the new kind are never parsed as tokens', async () => {
  for (const key of ['sb_publishable_ACJWlzQHlZjBrEguHvfOxg_3BJgxAaH', 'sb_secret_N7UND0UgjKTVK-Uodkm0Hg_xSvEMPvz']) {
    await refused(key)
    assert.equal((await knock(good(), { apikey: key })).status, 200, 'beside a token it is left aside')
  }
})
