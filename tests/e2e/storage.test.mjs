// Supabase Storage behind the edge: resumable uploads come back to the edge, and S3 signatures made for it are valid.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { request as send } from 'node:http'
import { call } from './lib/api.mjs'
import { startEdge } from './lib/edge.mjs'
import { presigned, signature, signed, startStorage } from './lib/storage.mjs'
import './lib/cleanup.mjs'

const manners = ['none', 'envoy', 'kong']
const stacks = {}

before(async () => {
  for (const manner of manners) {
    const storage = await startStorage(manner)
    stacks[manner] = { storage, edge: await startEdge({ SUPABASE_URL: storage.url, EXTRACT_WORKERS: '0' }) }
  }
})
after(async () => {
  for (const { edge, storage } of Object.values(stacks)) {
    await edge?.stop()
    storage.close()
  }
})

const create = (url, headers = {}) =>
  call('POST', '/storage/v1/upload/resumable', { url, headers: { 'tus-resumable': '1.0.0', 'upload-length': '10', ...headers } })

/** Like fetch, which does not let a caller set `host`. */
const raw = (method, url, headers, body = '') => new Promise((done, fail) => {
  const request = send(url, { method, headers }, (response) => {
    response.resume().on('end', () => done({ status: response.statusCode, headers: response.headers }))
  })
  request.on('error', fail).end(body)
})

test('the signatures are those that AWS publishes', () => {
  // The first example of "Signature calculations for the Authorization header" in the S3 reference.
  const empty = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
  const headers = { host: 'examplebucket.s3.amazonaws.com', range: 'bytes=0-9', 'x-amz-content-sha256': empty, 'x-amz-date': '20130524T000000Z' }
  const secret = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'
  assert.equal(
    signature({ method: 'GET', path: '/test.txt', headers, payload: empty, date: '20130524T000000Z', secret, region: 'us-east-1' }),
    'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41')
})

for (const manner of manners) {
  test(`a resumable upload stays on the edge (gateway: ${manner})`, async () => {
    const { edge, storage } = stacks[manner]
    const created = await create(edge.url)
    assert.equal(created.status, 201)
    const location = created.headers.get('location')
    assert.ok(location.startsWith(`${edge.url}/storage/v1/upload/resumable/`), location)
    const patch = (offset, body) => call('PATCH', location, { headers: { 'upload-offset': offset, 'content-type': 'application/offset+octet-stream' }, body })
    assert.equal((await patch('0', 'hello')).headers.get('upload-offset'), '5')
    assert.equal((await call('HEAD', location)).headers.get('upload-offset'), '5')
    assert.equal((await patch('5', 'world')).status, 204)
    assert.equal(storage.uploads.get(location.split('/').pop()).bytes.toString(), 'helloworld')
  })
}

for (const manner of ['none', 'envoy']) {
  test(`an S3 request signed for the edge is accepted (gateway: ${manner})`, async () => {
    const { edge } = stacks[manner]
    const url = `${edge.url}/storage/v1/s3/bucket/a%20b%3Bc.txt`
    assert.equal((await raw('GET', url, signed('GET', url))).status, 200)
    assert.equal((await raw('PUT', url, signed('PUT', url, 'some bytes'), 'some bytes')).status, 200)
    assert.equal((await raw('GET', presigned('GET', url), {})).status, 200)
    const forged = signed('GET', url)
    forged.authorization = forged.authorization.replace(/Signature=.{4}/, 'Signature=0000')
    assert.equal((await raw('GET', url, forged)).status, 403)
  })
}

test('behind a gateway that replaces the headers, S3 needs the public URL of the stack', async () => {
  let publicUrl = null
  const storage = await startStorage('kong', { publicUrl: () => publicUrl })
  const edge = await startEdge({ SUPABASE_URL: storage.url, EXTRACT_WORKERS: '0' })
  try {
    const url = `${edge.url}/storage/v1/s3/bucket/key`
    assert.equal((await raw('GET', url, signed('GET', url))).status, 403)
    publicUrl = edge.url
    assert.equal((await raw('GET', url, signed('GET', url))).status, 200)
    assert.ok((await create(edge.url)).headers.get('location').startsWith(`${edge.url}/`))
  } finally {
    await edge.stop()
    storage.close()
  }
})

test('behind a proxy that terminates TLS, the address is that of the proxy', async () => {
  const { storage } = stacks.envoy
  const edge = await startEdge({ SUPABASE_URL: storage.url, EXTRACT_WORKERS: '0', TRUSTED_PROXIES: '1' })
  try {
    const proxied = { 'x-forwarded-for': '203.0.113.7', 'x-forwarded-host': 'app.example', 'x-forwarded-proto': 'https' }
    assert.match((await create(edge.url, proxied)).headers.get('location'), /^https:\/\/app\.example\/storage\/v1\/upload\/resumable\/\d+$/)
    const { host, ...headers } = signed('GET', 'https://app.example/storage/v1/s3/bucket/key')
    assert.equal(host, 'app.example')
    assert.equal((await raw('GET', `${edge.url}/storage/v1/s3/bucket/key`, { ...headers, ...proxied })).status, 200)
  } finally {
    await edge.stop()
  }
})

test('a client cannot name another host or address', async () => {
  for (const manner of manners) {
    const { edge, storage } = stacks[manner]
    const created = await create(edge.url, {
      'x-forwarded-host': 'evil.example', 'x-forwarded-port': '444', 'x-forwarded-proto': 'https', 'x-forwarded-prefix': '/evil',
      forwarded: 'for=6.6.6.6;host=evil.example;proto=https', 'x-forwarded-for': '6.6.6.6', 'x-real-ip': '6.6.6.6', 'cf-connecting-ip': '6.6.6.6',
    })
    assert.ok(created.headers.get('location').startsWith(`${edge.url}/storage/`), created.headers.get('location'))
    const { headers } = storage.seen.at(-1)
    assert.equal(headers['x-forwarded-for'], '127.0.0.1')
    assert.equal(headers['x-real-ip'], '127.0.0.1')
    assert.doesNotMatch(JSON.stringify(headers), /evil|6\.6\.6\.6/)
  }
})

test('a stack that finds its project by the host is not told another one', async () => {
  const { storage } = stacks.none
  const edge = await startEdge({ SUPABASE_URL: storage.url, EXTRACT_WORKERS: '0', SUPABASE_FORWARDED_HOST: 'never' })
  try {
    const created = await create(edge.url)
    assert.ok(created.headers.get('location').startsWith(`${edge.url}/storage/`), created.headers.get('location'))
    const { headers } = storage.seen.at(-1)
    for (const name of ['x-forwarded-host', 'x-forwarded-port', 'x-forwarded-proto']) assert.ok(!(name in headers), name)
    assert.equal(headers['x-forwarded-for'], '127.0.0.1')
    assert.equal(headers.host, new URL(storage.url).host)
  } finally {
    await edge.stop()
  }
})
