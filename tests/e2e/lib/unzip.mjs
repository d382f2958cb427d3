// Reads ZIP archives by their central directory, like an unpacker.

import { inflateRawSync } from 'node:zlib'

/** The entries of an archive in order: [{name, bytes}]. Archives of less than 4 GiB. */
export function unzip(archive) {
  const end = archive.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'))
  if (end < 0) throw new Error('no end of the directory')
  let at = archive.readUInt32LE(end + 16)
  return Array.from({ length: archive.readUInt16LE(end + 10) }, () => {
    const [method, packed, size] = [archive.readUInt16LE(at + 10), archive.readUInt32LE(at + 20), archive.readUInt32LE(at + 24)]
    const [name, extra, comment] = [28, 30, 32].map((offset) => archive.readUInt16LE(at + offset))
    const local = archive.readUInt32LE(at + 42)
    const start = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28)
    const data = archive.subarray(start, start + packed)
    const bytes = method === 0 ? data : inflateRawSync(data)
    if (bytes.length !== size) throw new Error(`an entry has ${bytes.length} bytes, not ${size}`)
    const entry = { name: archive.toString('utf8', at + 46, at + 46 + name), bytes }
    at += 46 + name + extra + comment
    return entry
  })
}
