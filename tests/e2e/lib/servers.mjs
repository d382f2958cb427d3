// Servers to put behind an edge, each of which reports the request that it saw: `{method, target, path, length, encoding}`.
// `path` is the target as that server reads it.

import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, listen, until } from './net.mjs'

const separator = ' | '
const report = (...fields) => fields.join(separator)

/** The report in a response. */
export function parseReport(text) {
  const [method, target, path, length, encoding] = text.split(separator)
  return { method, target, path, length, encoding }
}

async function node() {
  let count = 0
  const server = createServer((request, response) => {
    count += 1
    request.resume().on('end', () => {
      const { 'content-length': length = '', 'transfer-encoding': encoding = '' } = request.headers
      // In chunks, like a response whose length is unknown.
      response.write(report(request.method, request.url, new URL(request.url, 'http://x').pathname, length, encoding))
      response.end()
    })
  })
  return { url: await listen(server), count: () => count, stop: () => { server.closeAllConnections(); server.close() } }
}

/** A program that serves with the configuration `write(port, folder)`, or null if it is not installed. */
async function program(command, args, write) {
  if (spawnSync(command, ['-v']).error) return null
  const folder = mkdtempSync(join(tmpdir(), `dossier-${command}-`))
  chmodSync(folder, 0o755)
  const port = await freePort()
  const file = join(folder, 'conf')
  writeFileSync(file, write(port, folder))
  const child = spawn(command, args(file, folder), { stdio: ['ignore', 'ignore', 'pipe'] })
  let log = ''
  child.stderr.on('data', (data) => { log += data })
  const url = `http://127.0.0.1:${port}`
  await until(`${command} to respond: ${log}`, () => fetch(url).then(() => true, () => false))
  return {
    url,
    async stop() {
      child.kill('SIGTERM')
      await new Promise((done) => child.once('exit', done))
      rmSync(folder, { recursive: true })
    },
  }
}

const nginx = () => program('nginx', (file, folder) => ['-c', file, '-p', folder, '-e', join(folder, 'error')], (port, folder) => `
daemon off;
master_process off;
pid ${folder}/pid;
events {}
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  server {
    listen 127.0.0.1:${port};
    location / {
      return 200 "$request_method | $request_uri | $uri | $http_content_length | $http_transfer_encoding";
    }
  }
}
`)

const haproxy = () => program('haproxy', (file) => ['-db', '-q', '-f', file], (port) => `
defaults
  mode http
  timeout connect 5s
  timeout client 10s
  timeout server 10s
frontend reporter
  bind 127.0.0.1:${port}
  http-request return status 200 content-type text/plain lf-string "%[method] | %[pathq] | %[path,url_dec] | %[req.hdr(content-length)] | %[req.hdr(transfer-encoding)]"
`)

/** The servers that are installed, by name. Node always is. */
export async function startServers() {
  const servers = { node: await node(), nginx: await nginx(), haproxy: await haproxy() }
  return Object.fromEntries(Object.entries(servers).filter(([, server]) => server))
}
