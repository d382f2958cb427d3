// Small files, for tests that state the content of their files.

import { randomBytes } from 'node:crypto'

/** A BMP of 64 by 64 pixels without words. */
export function whiteImage() {
  const side = 64
  const bytes = Buffer.alloc(54 + side * side * 3, 0xff)
  bytes.fill(0, 0, 54)
  bytes.write('BM', 0, 'latin1')
  for (const [at, number] of [[2, bytes.length], [10, 54], [14, 40], [18, side], [22, side], [34, side * side * 3]]) bytes.writeUInt32LE(number, at)
  bytes.writeUInt16LE(1, 26)
  bytes.writeUInt16LE(24, 28)
  return bytes
}

/** A PDF of one page, with metadata. */
export function pdf(text, { title, author } = {}) {
  const content = `BT /F1 24 Tf 72 720 Td (${text}) Tj ET`
  return written([
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>',
    `<< /Length ${content.length} >>\nstream\n${content}\nendstream`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
    `<< /Title (${title ?? ''}) /Author (${author ?? ''}) >>`,
  ])
}

/** A PDF with a page for each text. A page without text (null) is a scan of a white sheet. */
export function scannedPdf(texts) {
  const first = 6
  const pixels = '\x00'.repeat(64 * 8)
  const pages = texts.flatMap((text, index) => {
    const content = text === null ? '612 0 0 792 0 0 cm /Im1 Do' : `BT /F1 24 Tf 72 720 Td (${text}) Tj ET`
    return [
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents ${first + 2 * index + 1} 0 R /Resources << /Font << /F1 3 0 R >> /XObject << /Im1 4 0 R >> >> >>`,
      `<< /Length ${content.length} >>\nstream\n${content}\nendstream`,
    ]
  })
  return written([
    '<< /Type /Catalog /Pages 2 0 R >>',
    `<< /Type /Pages /Kids [${texts.map((_, index) => `${first + 2 * index} 0 R`).join(' ')}] /Count ${texts.length} >>`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
    `<< /Type /XObject /Subtype /Image /Width 64 /Height 64 /ColorSpace /DeviceGray /BitsPerComponent 1 /Decode [1 0] /Length ${pixels.length} >>\nstream\n${pixels}\nendstream`,
    '<< /Producer (a scanner) >>',
    ...pages,
  ], { info: 5 })
}

/** A TIFF of so many pages that all show the same strip: noise, in which OCR looks for letters for a long time. */
export function sharedTiff(pages, side = 2000) {
  const strip = randomBytes(side * side)
  const entries = (next) => {
    const tags = [[256, 4, side], [257, 4, side], [258, 3, 8], [259, 3, 1], [262, 3, 1], [273, 4, 8], [277, 3, 1], [278, 4, side], [279, 4, strip.length]]
    const directory = Buffer.alloc(2 + 12 * tags.length + 4)
    directory.writeUInt16LE(tags.length, 0)
    tags.forEach(([tag, type, number], index) => {
      directory.writeUInt16LE(tag, 2 + 12 * index)
      directory.writeUInt16LE(type, 4 + 12 * index)
      directory.writeUInt32LE(1, 6 + 12 * index)
      directory.writeUInt32LE(number, 10 + 12 * index)
    })
    directory.writeUInt32LE(next, directory.length - 4)
    return directory
  }
  const first = 8 + strip.length
  const size = entries(0).length
  const header = Buffer.from('II*\0\0\0\0\0', 'latin1')
  header.writeUInt32LE(first, 4)
  const directories = Array.from({ length: pages }, (_, page) => entries(page + 1 < pages ? first + (page + 1) * size : 0))
  return Buffer.concat([header, strip, ...directories])
}

/** The file of these objects, with its table of offsets. */
function written(objects, { info = 6 } = {}) {
  let file = '%PDF-1.4\n'
  const offsets = objects.map((object, index) => {
    const at = file.length
    file += `${index + 1} 0 obj\n${object}\nendobj\n`
    return String(at).padStart(10, '0')
  })
  const start = file.length
  file += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${offsets.map((at) => `${at} 00000 n \n`).join('')}`
  return Buffer.from(`${file}trailer\n<< /Size ${objects.length + 1} /Root 1 0 R /Info ${info} 0 R >>\nstartxref\n${start}\n%%EOF\n`, 'latin1')
}
