// Writes ZIP archives, both like other programs and malformed.

import { crc32, deflateRawSync } from 'node:zlib'

/** An archive of entries {name, bytes, size?, crc?}; `size` and `crc` are the values in its headers. */
export function zip(entries) {
  const locals = []
  const directory = []
  let at = 0
  for (const { name, bytes, size = bytes.length, crc = crc32(bytes) } of entries) {
    const packed = deflateRawSync(bytes)
    const [title, facts] = [Buffer.from(name), Buffer.alloc(26)]
    facts.writeUInt16LE(20, 0)
    facts.writeUInt16LE(0x800, 2)
    facts.writeUInt16LE(8, 4)
    facts.writeUInt32LE(crc, 10)
    facts.writeUInt32LE(packed.length, 14)
    facts.writeUInt32LE(size, 18)
    facts.writeUInt16LE(title.length, 22)
    const where = Buffer.alloc(14)
    where.writeUInt32LE(at, 10)
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), facts, title, packed])
    locals.push(local)
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00', 'latin1'), facts, where, title]))
    at += local.length
  }
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(entries.length & 0xffff, 8)
  end.writeUInt16LE(entries.length & 0xffff, 10)
  end.writeUInt32LE(directory.reduce((sum, entry) => sum + entry.length, 0), 12)
  end.writeUInt32LE(at, 16)
  return Buffer.concat([...locals, ...directory, end])
}
