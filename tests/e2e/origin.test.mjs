// Where a request comes from: the audit log knows, and SQL sees the request as it does behind PostgREST.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { call, get, newSession, unique, uploaded } from './lib/api.mjs'
import { startEdge } from './lib/edge.mjs'
import { member } from './lib/people.mjs'
import { literal, psql, rows, value } from './lib/psql.mjs'
import './lib/cleanup.mjs'

let direct
let proxied

before(async () => {
  direct = await startEdge({ EXTRACT_WORKERS: '0' })
  proxied = await startEdge({ EXTRACT_WORKERS: '0', TRUSTED_PROXIES: '1' })
})
after(async () => {
  await direct?.stop()
  await proxied?.stop()
})

/** Where the audit log says that a document stored with these headers came from. */
async function originOf(edge, headers) {
  const session = await newSession(member, {}, { url: edge.url })
  const name = unique('audited.txt')
  await uploaded(member, session.id, { name, bytes: Buffer.from('audited'), media_type: 'text/plain' }, { url: edge.url, headers })
  return value(`select origin from dossier.audit_log where action = 'document.stored' and details ->> 'name' = ${literal(name)}`)
}

test('without trusted proxies, the client is the one that connected', async () => {
  assert.equal(await originOf(direct, {}), '127.0.0.1')
  assert.equal(await originOf(direct, { 'x-forwarded-for': '203.0.113.7', 'x-real-ip': '203.0.113.8', forwarded: 'for=203.0.113.9' }), '127.0.0.1')
})

test('with trusted proxies, it is the one that they saw', async () => {
  assert.equal(await originOf(proxied, { 'x-forwarded-for': '203.0.113.7' }), '203.0.113.7')
  assert.equal(await originOf(proxied, { 'x-forwarded-for': '6.6.6.6, 203.0.113.7' }), '203.0.113.7', 'the client wrote the first one')
  assert.equal(await originOf(proxied, { 'x-forwarded-for': '[2001:db8::7]:4711' }), '2001:db8::7')
  assert.equal(await originOf(proxied, { 'x-forwarded-for': 'unknown' }), '127.0.0.1')
})

test('SQL sees the request, without its credentials', async () => {
  await psql(`
    create table public.seen_requests (title text, method text, path text, headers jsonb);
    grant insert on public.seen_requests to authenticated;
    create function public.see_request() returns trigger language plpgsql as $$
    begin
      insert into public.seen_requests values (new.title, current_setting('request.method'), current_setting('request.path'), current_setting('request.headers')::jsonb);
      return null;
    end $$;
    create trigger see_request after insert or update on dossier.sessions for each row execute function public.see_request()`)
  try {
    const title = unique('seen')
    const session = await newSession(member, { title }, { url: direct.url })
    const headers = { 'user-agent': 'agent "7"', 'x-app': 'one', apikey: 'sb_secret_word', cookie: 'a=secret_word', 'x-client-info': 'app/1' }
    const changed = await call('PATCH', `/api/sessions/${session.id}`, { as: member, url: direct.url, json: { title }, headers })
    assert.equal(changed.status, 200, changed.text)
    const seen = await rows(`select method, path, headers from public.seen_requests where title = ${literal(title)}`)
    assert.deepEqual(seen.map(({ method, path }) => `${method} ${path}`), ['POST /api/sessions', `PATCH /api/sessions/${session.id}`])
    const [, { headers: last }] = seen
    assert.equal(last['user-agent'], 'agent "7"')
    assert.equal(last['x-app'], 'one')
    assert.equal(last['x-forwarded-for'], '127.0.0.1')
    assert.equal(last['x-forwarded-host'], new URL(direct.url).host)
    assert.doesNotMatch(JSON.stringify(seen), new RegExp(`secret_word|authorization|${member.token.slice(0, 20)}`, 'i'))
    assert.equal((await get('/api/sessions', { as: member, url: direct.url })).status, 200, 'the next request on the same connection')
  } finally {
    await psql('drop trigger see_request on dossier.sessions; drop function public.see_request(); drop table public.seen_requests')
  }
})
