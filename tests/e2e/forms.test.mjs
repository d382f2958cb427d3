// Forms as clients other than browsers write them: every file is stored or listed in errors, under the name that was meant.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { allPages, assertError, call, finished, get, newSession } from './lib/api.mjs'
import { member } from './lib/people.mjs'
import './lib/cleanup.mjs'

/** Sends a form of `parts`, each [header, content], byte by byte as given. */
function send(parts, { session } = {}) {
  const boundary = `form-${randomUUID()}`
  const pieces = parts.flatMap(([header, content]) => [`--${boundary}\r\n`, Buffer.from(header, 'latin1'), '\r\n\r\n', content, '\r\n'])
  const body = Buffer.concat([...pieces, `--${boundary}--\r\n`].map((piece) => Buffer.from(piece)))
  const query = session ? `?session_id=${session.id}` : ''
  return call('POST', `/api/documents${query}`, { as: member, body, headers: { 'content-type': `multipart/form-data; boundary=${boundary}` } })
}
const utf8 = (text) => Buffer.from(text).toString('latin1')
const file = (parameters, more = '\r\nContent-Type: text/plain') => `${utf8(`Content-Disposition: form-data; name="file"; ${parameters}`)}${more}`
const names = (response) => response.json.documents.map(({ name }) => name)

test('names are read in every form that clients write', async () => {
  const session = await newSession(member)
  for (const [header, name] of [
    [file('filename="plain.txt"'), 'plain.txt'],
    [file('filename = "spaces.txt"'), 'spaces.txt'],
    ['Content-Disposition: form-data; name="file";\r\n filename="folded.txt"\r\nContent-Type: text/plain', 'folded.txt'],
    [file(`filename="=?utf-8?B?${Buffer.from('新建文本文档.txt').toString('base64')}?="; filename*=utf-8''${encodeURIComponent('新建文本文档.txt')}`), '新建文本文档.txt'],
    [file("filename=\"_____.txt\"; filename*=UTF-8''na%C3%AFve%20caf%C3%A9.txt"), 'naïve café.txt'],
    [file("filename*=ISO-8859-1''na%EFve.txt"), 'naïve.txt'],
    [file(`filename="=?UTF-8?B?${Buffer.from('später.txt').toString('base64')}?="`), 'später.txt'],
    [file('filename="=?iso-8859-1?Q?sp=E4ter_am_Abend.txt?="'), 'später am Abend.txt'],
    [file('filename*0="a"; filename*1="b.txt"'), 'ab.txt'],
    ['Content-Disposition: form-data; name="file"; filename="\xe9t\xe9.txt"\r\nContent-Type: text/plain', 'été.txt'],
    [file('filename="C:\\\\fakepath\\\\x.txt"'), 'x.txt'],
    [file('filename="C:\\fakepath\\y.txt"'), 'y.txt'],
    [file('filename="folder/sub folder/z.txt"'), 'z.txt'],
    [file('filename="../../etc/passwd"'), 'passwd'],
    [file('filename="odd\\"'), 'odd'],
    [file('filename="open.txt'), 'open.txt'],
    [file('filename="blob"'), 'blob'],
    ['Content-Disposition: form-data; name="file"\r\nContent-Type: text/markdown', 'unnamed'],
  ]) {
    for (const parts of [[[header, 'second'], [file('filename="good.txt"'), 'good']], [[file('filename="good.txt"'), 'good'], [header, 'second']], [[header, 'alone']]]) {
      const response = await send(parts, { session })
      assert.equal(response.status, 201, `${header}: ${response.text}`)
      assert.deepEqual(names(response).sort(), [name, ...(parts.length > 1 ? ['good.txt'] : [])].sort(), header)
    }
  }
})

test('a file whose name cannot be read is listed, however large it is', async () => {
  const session = await newSession(member)
  for (const parameter of ["filename*=UTF-8''na%E9ve.txt", "filename*=koi8-r''x.txt", 'filename*=nonsense']) {
    for (const parts of [[[file(parameter), 'bad'], [file('filename="good.txt"'), 'good']], [[file('filename="good.txt"'), 'good'], [file(parameter), 'bad']]]) {
      const response = await send(parts, { session })
      assert.equal(response.status, 207, `${parameter}: ${response.text}`)
      assert.deepEqual(names(response), ['good.txt'])
      assert.deepEqual(response.json.errors.map(({ code, name }) => [code, parameter.endsWith(name)]), [['PT400', true]])
    }
    assert.match(assertError(await send([[file(parameter), 'x'.repeat(300_000)]], { session }), 400, 'PT400', { perFile: true }).message, /file name/i)
  }
})

test('a field may be sent as a blob', async () => {
  const session = await newSession(member)
  const metadata = (more, content = '{"source":"crm"}') => [`Content-Disposition: form-data; name="metadata"${more}`, content]
  const good = [file('filename="good.txt"'), 'good']
  for (const more of ['', '; filename="blob"\r\nContent-Type: application/json', '\r\nContent-Type: application/json; charset=utf-8']) {
    const response = await send([['Content-Disposition: form-data; name="session_id"; filename="blob"\r\nContent-Type: text/plain', session.id], metadata(more), good])
    assert.equal(response.status, 201, `${more}: ${response.text}`)
    assert.deepEqual(response.json.documents.map(({ name, metadata }) => [name, metadata]), [['good.txt', { source: 'crm' }]])
  }
  assertError(await send([metadata('', Buffer.from('{"a":"\xe9"}', 'latin1')), good], { session }), 400, 'PT400')
  assert.equal(assertError(await send([metadata('', '{"a":'), good], { session }), 400, 'PT400').message, 'The form field metadata is not valid JSON')
  assert.deepEqual((await send([metadata('', ''), good], { session })).json.documents[0].metadata, {}, 'an empty input')
  const named = await send([metadata('; filename="notes.txt"\r\nContent-Type: text/plain', 'words')], { session })
  assert.deepEqual(names(named), ['notes.txt'], 'with a name of its own it is a file')
})

test('a browser form with an empty file input stores the other file', async () => {
  const session = await newSession(member)
  const empty = [file('filename=""', '\r\nContent-Type: application/octet-stream'), '']
  assert.deepEqual(names(await send([empty, [file('filename="good.txt"'), 'good']], { session })), ['good.txt'])
  assertError(await send([empty], { session }), 400, 'PT400')
})

test('an encoded part is refused by name, and not stored as it is', async () => {
  const session = await newSession(member)
  const encoded = (encoding, content) => [file('filename="c.txt"', `\r\nContent-Type: text/plain\r\n${encoding}`), content]
  for (const [encoding, content] of [
    ['Content-Transfer-Encoding: base64', 'aGVsbG8='], ['content-transfer-encoding: Quoted-Printable', 'f=C3=BCr'], ['Content-Encoding: gzip', gzipSync('hello')],
  ]) {
    const response = await send([encoded(encoding, content), [file('filename="good.txt"'), 'good']], { session })
    assert.equal(response.status, 207, response.text)
    assert.deepEqual([names(response), response.json.errors[0].name], [['good.txt'], 'c.txt'])
    assert.equal(response.json.errors[0].code, 'PT415')
    assert.ok(response.json.errors[0].details.includes(encoding), response.text)
    assertError(await send([[`Content-Disposition: form-data; name="session_id"\r\n${encoding}`, 'x'], [file('filename="good.txt"'), 'good']]), 415, 'PT415')
  }
  for (const encoding of ['Content-Transfer-Encoding: binary', 'Content-Transfer-Encoding: 8bit', 'Content-Transfer-Encoding: 7BIT', 'Content-Encoding: identity']) {
    const response = await send([encoded(encoding, 'as it is')], { session })
    assert.equal(response.status, 201, response.text)
    assert.equal((await get(`/api/documents/${response.json.documents[0].id}/content`, { as: member })).text, 'as it is')
  }
})

test('a field that no file can use is listed beside the stored files', async () => {
  const session = await newSession(member)
  const good = [file('filename="good.txt"'), 'good']
  const field = (name, content) => [`Content-Disposition: form-data; name="${name}"`, content]
  for (const [last, message] of [
    [field('metadata', '{"a":1}'), /metadata comes after the last file/],
    [field('session_id', session.id), /session_id comes after the last file/],
    [field('session_id', 'none'), /session_id/],
    [field('metadata', 'x'.repeat(200_000)), /metadata is/],
    [field('metadata', `${'['.repeat(600)}${']'.repeat(600)}`), /nested/],
    [field('metadata', Buffer.from('{"a":"\xe9"}', 'latin1')), /UTF-8/],
  ]) {
    const response = await send([good, last], { session })
    assert.equal(response.status, 207, response.text)
    assert.deepEqual(names(response), ['good.txt'])
    assert.equal(response.json.errors.length, 1)
    assert.match(response.json.errors[0].message, message)
    assert.equal((await get(`/api/documents/${response.json.documents[0].id}`, { as: member })).status, 200)
  }
  const used = await send([field('metadata', '{"a":1}'), good, field('metadata', '{"a":2}'), [file('filename="other.txt"'), 'other']], { session })
  assert.deepEqual(used.json.documents.map(({ metadata }) => metadata.a), [1, 2], used.text)
})

test('the charset of a part decodes its text', async () => {
  const session = await newSession(member)
  for (const [charset, bytes, text] of [
    ['ISO-8859-2', 'afbff3b3e620', 'Żżółć'],
    ['"KOI8-R"', 'edc9d220', 'Мир'],
    ['windows-1255', 'f9ece5ed20', 'שלום'],
    ['nonsense', Buffer.from('Grüße').toString('hex'), 'Grüße'],
    ['us-ascii', Buffer.from('Grüße').toString('hex'), 'Grüße'],
  ]) {
    const response = await send([[file('filename="word.txt"', `\r\nContent-Type: text/plain; charset=${charset}`), Buffer.from(bytes, 'hex')]], { session })
    assert.equal(response.status, 201, response.text)
    const [{ id, media_type: type }] = response.json.documents
    assert.equal(type, 'text/plain')
    assert.equal((await finished(member, id)).status, 'ready')
    assert.equal((await allPages(member, id))[0].text.trim(), text, charset)
  }
})
