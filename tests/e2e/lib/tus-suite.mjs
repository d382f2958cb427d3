// The rules of tus 1.0.0 that hold for every server. `tus-reference.test.mjs` runs them against the reference server, which
// shows that the tests are right, and `tus.test.mjs` against the edge.

import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { RawClient, until } from './net.mjs'
import { bytesType, encodeMetadata, version } from './tus.mjs'

/** Text that differs everywhere, so that two pieces of it cannot be mistaken for each other. */
export const textOf = (length) => Buffer.from(randomBytes(Math.ceil(length / 2)).toString('hex').slice(0, length))

const oneOf = (response, statuses, message = '') =>
  assert.ok(statuses.includes(response.status), `${message} ${response.status} is not one of ${statuses}: ${response.text}`)

/** `target()` returns `{server, content(url), directory}` once the tests run; `content` is what a finished upload has. */
export function protocolTests(target) {
  test('OPTIONS names the version and the extensions', async () => {
    const { server } = target()
    const response = await server.send('OPTIONS', server.endpoint)
    oneOf(response, [200, 204])
    assert.equal(response.headers.get('tus-resumable'), '1.0.0')
    assert.ok(response.headers.get('tus-version').split(',').includes('1.0.0'))
    const extensions = response.headers.get('tus-extension').split(',')
    for (const extension of ['creation', 'creation-with-upload', 'creation-defer-length', 'termination', 'expiration']) {
      assert.ok(extensions.includes(extension), `${extension} in ${extensions}`)
    }
    assert.ok(Number(response.headers.get('tus-max-size')) > 0)
  })

  test('an upload is created, asked for, and sent in one request', async () => {
    const { server, content } = target()
    const bytes = textOf(700_001)
    const created = await server.create({ length: bytes.length, metadata: { filename: 'report ü.txt', filetype: 'text/plain' } })
    assert.equal(created.status, 201, created.text)
    assert.equal(created.headers.get('tus-resumable'), '1.0.0')
    assert.ok(created.location.startsWith(`${server.endpoint.replace(/\/$/, '')}/`), created.location)
    assert.ok(Date.parse(created.headers.get('upload-expires')) > Date.now())

    const before = await server.head(created.location)
    assert.equal(before.status, 200)
    assert.equal(before.offset, 0)
    assert.equal(before.headers.get('upload-length'), String(bytes.length))
    assert.match(before.headers.get('cache-control'), /no-store/)
    const sent = encodeMetadata({ ...server.metadata, filename: 'report ü.txt', filetype: 'text/plain' })
    assert.deepEqual(before.headers.get('upload-metadata').split(',').sort(), sent.split(',').sort())

    const patched = await server.patch(created.location, 0, bytes)
    assert.equal(patched.status, 204, patched.text)
    assert.equal(patched.offset, bytes.length)
    assert.equal(patched.headers.get('tus-resumable'), '1.0.0')
    // A client that missed the response finds out that nothing remains.
    const after = await server.head(created.location)
    assert.deepEqual([after.status, after.offset, after.headers.get('upload-length')], [200, bytes.length, String(bytes.length)])
    assert.ok((await content(created.location)).equals(bytes), 'the bytes that were sent')
  })

  test('a file arrives in pieces of any size', async () => {
    const { server, content } = target()
    const bytes = textOf(1_000_003)
    const { location } = await server.create({ length: bytes.length })
    let offset = 0
    for (const size of [1, 2, 65_536, 262_140, 262_144, 100_000, 262_145, 1]) {
      const patched = await server.patch(location, offset, bytes.subarray(offset, offset + size))
      assert.equal(patched.status, 204, patched.text)
      assert.equal(patched.offset, offset += size)
    }
    const last = await server.patch(location, offset, bytes.subarray(offset))
    assert.equal(last.offset, bytes.length)
    assert.ok((await content(location)).equals(bytes), 'the bytes that were sent')
  })

  test('bytes for another offset are refused and change nothing', async () => {
    const { server } = target()
    const { location } = await server.create({ length: 100 })
    await server.patch(location, 0, 'x'.repeat(10))
    for (const offset of [0, 9, 11, 100]) {
      const patched = await server.patch(location, offset, 'y')
      assert.equal(patched.status, 409, `offset ${offset}: ${patched.text}`)
    }
    assert.equal((await server.head(location)).offset, 10)
  })

  test('requests that do not follow the protocol are refused', async () => {
    const { server } = target()
    const { location } = await server.create({ length: 100 })
    const response = await fetch(location, { method: 'PATCH', headers: { ...server.headers, ...bytesType, 'upload-offset': '0' }, body: 'x' })
    assert.equal(response.status, 412, 'without a version')
    oneOf(await server.patch(location, 0, 'x', { headers: { 'tus-resumable': '0.2.2' } }), [400, 412], 'another version')
    oneOf(await server.patch(location, 0, 'x', { headers: { 'content-type': 'text/plain' } }), [400, 403, 415], 'another type')
    oneOf(await server.send('PATCH', location, { headers: bytesType, body: 'x' }), [400, 403], 'no offset')
    for (const offset of ['-1', 'x', '1.5', '']) {
      oneOf(await server.patch(location, offset, 'x'), [400, 403, 409], `the offset "${offset}"`)
    }
    for (const headers of [{ 'upload-length': '-1' }, { 'upload-length': 'x' }, { 'upload-length': '5', 'upload-defer-length': '1' }, { 'upload-defer-length': '2' }, {}]) {
      const response = await server.send('POST', server.endpoint, { headers: { 'upload-metadata': encodeMetadata(server.metadata), ...headers } })
      assert.equal(response.status, 400, `${JSON.stringify(headers)}: ${response.text}`)
    }
    assert.equal((await server.create({ length: 5, headers: { 'upload-metadata': 'filename x,,=' } })).status, 400, 'malformed metadata')
    assert.equal((await server.head(location)).offset, 0)
  })

  test('an upload that does not exist is not found', async () => {
    const { server } = target()
    const url = `${server.endpoint.replace(/\/$/, '')}/${randomUUID()}`
    assert.equal((await server.head(url)).status, 404)
    assert.equal((await server.patch(url, 0, 'x')).status, 404)
    assert.equal((await server.terminate(url)).status, 404)
  })

  test('an address with encoded separators or NUL leads nowhere', async () => {
    const { server } = target()
    const { location } = await server.create({ length: 3, metadata: { filename: 'kept.txt' } })
    const base = server.endpoint.replace(/\/$/, '')
    const id = location.split('/').at(-1)
    for (const odd of ['..%2F..%2Fetc%2Fpasswd', '..%5c..%5cetc', `${id}%00`, `${id}%00.txt`, `%2e%2e%2f${id}`, `${id}%2F..%2F${id}`, `.%2F${id}`, '%00', '%', '%ff', 'a'.repeat(300)]) {
      for (const [method, response] of [
        ['HEAD', await server.head(`${base}/${odd}`)],
        ['PATCH', await server.patch(`${base}/${odd}`, 0, 'abc')],
        ['DELETE', await server.terminate(`${base}/${odd}`)],
      ]) oneOf(response, [400, 404], `${method} ${odd}`)
    }
    assert.equal((await server.head(location)).offset, 0, 'the upload is untouched')
  })

  test('creation with the first bytes, or with all of them', async () => {
    const { server, content } = target()
    const bytes = textOf(400_000)
    const whole = await server.create({ length: bytes.length, headers: bytesType, body: bytes })
    assert.equal(whole.status, 201, whole.text)
    assert.equal(whole.offset, bytes.length)
    assert.ok((await content(whole.location)).equals(bytes))

    const part = await server.create({ length: bytes.length, headers: bytesType, body: bytes.subarray(0, 1000) })
    assert.equal(part.status, 201, part.text)
    assert.equal(part.offset, 1000)
    assert.equal((await server.patch(part.location, 1000, bytes.subarray(1000))).offset, bytes.length)
    assert.ok((await content(part.location)).equals(bytes))
  })

  test('a length can be declared later', async () => {
    const { server, content } = target()
    const bytes = textOf(300_000)
    const { status, location, text } = await server.create()
    assert.equal(status, 201, text)
    const unknown = await server.head(location)
    assert.equal(unknown.headers.get('upload-defer-length'), '1')
    assert.equal(unknown.headers.get('upload-length'), null)
    assert.equal((await server.patch(location, 0, bytes.subarray(0, 100_000))).offset, 100_000)
    const declared = await server.patch(location, 100_000, bytes.subarray(100_000, 200_000), { headers: { 'upload-length': String(bytes.length) } })
    assert.equal(declared.status, 204, declared.text)
    const known = await server.head(location)
    assert.equal(known.headers.get('upload-length'), String(bytes.length))
    assert.equal(known.headers.get('upload-defer-length'), null)
    oneOf(await server.patch(location, 200_000, 'x', { headers: { 'upload-length': '250000' } }), [400, 403], 'another length')
    assert.equal((await server.patch(location, 200_000, bytes.subarray(200_000))).offset, bytes.length)
    assert.ok((await content(location)).equals(bytes))
  })

  test('the length can be declared last, without a byte', async () => {
    const { server, content } = target()
    const bytes = textOf(1000)
    const { location } = await server.create()
    assert.equal((await server.patch(location, 0, bytes)).offset, 1000)
    const declared = await server.patch(location, 1000, '', { headers: { 'upload-length': '1000' } })
    assert.equal(declared.status, 204, declared.text)
    assert.ok((await content(location)).equals(bytes))
  })

  test('an upload is terminated', async () => {
    const { server } = target()
    const { location } = await server.create({ length: 100_000 })
    await server.patch(location, 0, textOf(50_000))
    assert.equal((await server.terminate(location)).status, 204)
    for (const response of [await server.head(location), await server.patch(location, 50_000, 'x'), await server.terminate(location)]) {
      oneOf(response, [404, 410])
    }
  })

  test('more bytes than declared are refused', async () => {
    const { server } = target()
    const { location } = await server.create({ length: 10 })
    assert.equal((await server.patch(location, 0, 'x'.repeat(4))).offset, 4)
    const declared = await server.patch(location, 4, 'x'.repeat(7))
    assert.equal(declared.status, 413, declared.text)
    assert.equal((await server.head(location)).offset, 4, 'nothing of it is kept')
  })

  test('what arrived before the connection was lost is kept', async () => {
    const { server, content } = target()
    const bytes = textOf(1_000_000)
    for (const length of [bytes.length, undefined]) {
      const { location } = await server.create({ length: bytes.length })
      const client = await server.open(location, 0, length)
      const part = bytes.subarray(0, 600_000)
      await (length ? client.send(part) : client.chunk(part))
      // Without a reset, which would discard what is still on its way.
      client.close()
      const { offset } = await until('some bytes stored', async () => {
        const head = await server.head(location)
        return head.offset > 0 ? head : null
      })
      assert.ok(offset <= 600_000, `${offset} bytes`)
      const rest = await until('the upload free again', async () => {
        const current = (await server.head(location)).offset
        const response = await server.patch(location, current, bytes.subarray(current))
        return response.status === 204 ? response : null
      })
      assert.equal(rest.offset, bytes.length)
      assert.ok((await content(location)).equals(bytes), 'without a gap')
    }
  })

  test('the address of an upload does not come from the client', async () => {
    const { server } = target()
    const created = await server.create({ length: 5, headers: { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https', forwarded: 'host=evil.example;proto=https' } })
    assert.equal(created.status, 201, created.text)
    assert.doesNotMatch(created.headers.get('location'), /evil/)
    assert.equal((await server.head(created.location)).status, 200)

    const client = await RawClient.open(server.endpoint)
    await client.head('POST', new URL(server.endpoint).pathname, {
      ...version, ...server.headers, host: 'evil.example', 'upload-length': '5', 'upload-metadata': encodeMetadata(server.metadata), 'content-length': '0',
    })
    const response = await client.response()
    client.close()
    assert.equal(response.status, 201, response.text)
    assert.doesNotMatch(response.headers.location, /evil/)
    assert.equal((await server.head(new URL(response.headers.location, server.endpoint).href)).status, 200)
  })

  test('a concatenation of uploads is not created', async () => {
    const { server } = target()
    for (const concat of ['final;/files/a /files/b', 'final;../../../etc/passwd', 'final;']) {
      const response = await server.send('POST', server.endpoint, { headers: { 'upload-concat': concat, 'upload-metadata': encodeMetadata(server.metadata) } })
      oneOf(response, [400, 501], concat)
      assert.equal(response.location, null)
    }
  })
}
