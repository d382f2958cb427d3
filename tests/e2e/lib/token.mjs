// JSON web tokens, valid and forged, and a JWKS document to verify them.

import { createHmac, generateKeyPairSync, sign as signWithKey } from 'node:crypto'
import { createServer } from 'node:http'
import { listen } from './net.mjs'

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
const now = () => Math.floor(Date.now() / 1000)

/** A token signed with `secret` (HS256), valid for ten minutes unless `claims` say otherwise. */
export function sign(claims, { secret, header = {} }) {
  const content = `${encode({ alg: 'HS256', typ: 'JWT', ...header })}.${encode({ iat: now(), exp: now() + 600, ...claims })}`
  return `${content}.${createHmac('sha256', secret).update(content).digest('base64url')}`
}

/** A token without a signature, for `alg: none` and its spellings. */
export function unsigned(claims, alg) {
  return `${encode({ alg, typ: 'JWT' })}.${encode({ exp: now() + 600, ...claims })}.`
}

const kinds = {
  ES256: { type: 'ec', options: { namedCurve: 'P-256' }, digest: 'sha256', encoding: { dsaEncoding: 'ieee-p1363' } },
  RS256: { type: 'rsa', options: { modulusLength: 2048 }, digest: 'sha256', encoding: {} },
  EdDSA: { type: 'ed25519', options: {}, digest: null, encoding: {} },
}

/** A key pair with a key id: `jwk` to publish, `pem` like a forger would use it, `sign` for its owner. */
export function keyPair(alg, kid) {
  const kind = kinds[alg]
  const { publicKey, privateKey } = generateKeyPairSync(kind.type, kind.options)
  return {
    kid,
    jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' },
    pem: publicKey.export({ format: 'pem', type: 'spki' }),
    sign(claims, header = {}) {
      const content = `${encode({ alg, typ: 'JWT', kid, ...header })}.${encode({ iat: now(), exp: now() + 600, ...claims })}`
      const signature = signWithKey(kind.digest, Buffer.from(content), { key: privateKey, ...kind.encoding })
      return `${content}.${signature.toString('base64url')}`
    },
  }
}

/** Publishes keys on loopback; `publish` replaces them, `requests` counts requests. */
export async function jwksServer(...pairs) {
  let keys = pairs
  const server = createServer((request, response) => {
    state.requests += 1
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ keys: keys.map((pair) => pair.jwk) }))
  })
  const state = {
    requests: 0,
    url: `${await listen(server)}/jwks.json`,
    publish: (...pairs) => { keys = pairs },
    close: () => new Promise((done) => { server.closeAllConnections(); server.close(done) }),
  }
  return state
}
