// Texts that come from outside, and how they are shown.

import { expect, test } from 'vitest'
import { parseMarked } from '../src/components/parts/marked.tsx'
import { reflow } from '../src/components/parts/reflow.ts'
import { createFormat } from '../src/components/messages/format.ts'
import { en } from '../src/components/messages/en.ts'
import { de } from '../src/components/messages/de.ts'
import { bothTexts } from '../src/components/parts/diff.tsx'
import { pickFiles, pastedFiles } from '../src/components/parts/add.tsx'
import { documentState } from '../src/components/parts/state.ts'
import { refusal } from '../src/components/parts/chosen.ts'

test('marked text is read as text: nothing in it becomes HTML', () => {
  expect(parseMarked('A &lt;b&gt;<mark>late</mark> &amp;amp; <script>alert(1)</script>&quot;&#39;')).toEqual([
    { text: 'A <b>', marked: false },
    { text: 'late', marked: true },
    { text: ` &amp; <script>alert(1)</script>"'`, marked: false },
  ])
})

test('lines that a page broke are joined; lists, tables, headings and paragraphs are not', () => {
  const page = [
    'What they asked for',
    'Prepared for the meeting on the fourteenth of March. The bakery runs twenty-',
    'two shops and wants one place where every order, complaint and promise is',
    'written down.',
    '',
    '1. A shared notebook that works on an old telephone, on a boat, and in rain',
    '2. Prices that do not grow',
    'Berths   12   40 EUR of a long line of a table that is as long as the others',
    'Sails    3    12 EUR',
  ].join('\n')
  expect(reflow(page).split('\n')).toEqual([
    'What they asked for',
    'Prepared for the meeting on the fourteenth of March. The bakery runs twenty-two shops and wants one place where every order, complaint and promise is written down.',
    '',
    '1. A shared notebook that works on an old telephone, on a boat, and in rain',
    '2. Prices that do not grow',
    'Berths   12   40 EUR of a long line of a table that is as long as the others',
    'Sails    3    12 EUR',
  ])
})

test('numbers, sizes and times are written in the language of the reader', () => {
  const now = Date.parse('2026-11-30T12:00:00Z')
  const english = createFormat('en', 'just now')
  const german = createFormat('de', 'gerade eben')
  expect(english.bytes(8)).toBe('8 bytes')
  expect(english.bytes(3_140_000)).toBe('3.1 MB')
  expect(german.bytes(3_140_000)).toBe('3,1 MB')
  expect(english.percent(0.999)).toBe('99%')
  expect([german.seconds(2.1), english.seconds(150)]).toEqual(['3\u00a0s', '3 min'])
  expect(english.when(now - 20_000, now)).toBe('just now')
  expect(german.when(now - 2 * 3_600_000, now)).toBe('vor 2 Stunden')
  expect(english.when(now - 26 * 3_600_000, now)).toBe('yesterday')
  expect(english.when(now - 8 * 86_400_000, now)).toMatch(/22/)
  expect(english.plural(1, { one: '1 file', other: '# files' })).toBe('1 file')
  expect(english.plural(1200, { one: '1 file', other: '# files' })).toBe('1,200 files')
})

test('a size just above a limit is written exactly', () => {
  expect(en(createFormat('en')).tooLarge(10_485_761, 10_485_760)).toBe('10,485,761 bytes is over the limit of 10 MB. This file will be skipped.')
  expect(en(createFormat('en')).tooLarge(84_000_000, 10_485_760)).toBe('84 MB is over the limit of 10 MB. This file will be skipped.')
})

test('both catalogues have every text, and German is not English', () => {
  const [english, german] = [en(createFormat('en')), de(createFormat('de'))]
  expect(Object.keys(german).sort()).toEqual(Object.keys(english).sort())
  const same = Object.entries(english).filter(([key, text]) => typeof text === 'string' && text === german[key as keyof typeof german])
  expect(same.map(([key]) => key)).toEqual(['original'])
})

test('both texts of a conflict are in the merged one, equal lines once', () => {
  expect(bothTexts('Forty seats.\nBy Friday.', 'Forty seats.\nBy Thursday.')).toBe('Forty seats.\nBy Friday.\nBy Thursday.')
})

test('a folder brings no hidden files, and at most two hundred', () => {
  const file = (path: string) => Object.assign(new File(['x'], path.split('/').at(-1) ?? ''), { path })
  expect(pickFiles([file('./offer/.DS_Store'), file('./offer/.git/config'), file('./offer/a.txt'), file('b.txt')]).files.map((each) => each.name)).toEqual(['a.txt', 'b.txt'])
  const { files, left } = pickFiles(Array.from({ length: 205 }, (_, n) => file(`${n}.txt`)))
  expect([files.length, left]).toEqual([200, 5])
})

test('text pasted beside a picture stays text', () => {
  const picture = new File(['x'], 'chart.png')
  const data = (types: string[]) => ({ types, files: [picture] }) as unknown as DataTransfer
  expect(pastedFiles(data(['Files']))).toEqual([picture])
  expect(pastedFiles(data(['text/plain', 'Files']))).toEqual([])
})

test('a file is refused before it is sent only for what is certain', () => {
  const texts = { m: en(createFormat('en')), f: createFormat('en') }
  const limits = { max_file_bytes: 4, allowed_media_types: ['application/pdf', 'image/*'] } as Parameters<typeof refusal>[1]
  const file = (name: string, type: string, text = 'abc') => new File([text], name, { type })
  expect(refusal(file('a.pdf', 'application/pdf'), limits, texts)).toBeUndefined()
  expect(refusal(file('a.png', 'image/png'), limits, texts)).toBeUndefined()
  expect(refusal(file('a.bin', ''), limits, texts)).toBeUndefined()
  expect(refusal(file('demo.mov', 'video/quicktime'), limits, texts)).toBe('MOV files cannot be stored here. This file will be skipped.')
  expect(refusal(file('a.pdf', 'application/pdf', 'abcde'), limits, texts)).toMatch(/over the limit/)
  expect(refusal(file('a.pdf', 'application/pdf', ''), undefined, texts)).toMatch(/empty/)
})

test('a document that is ready says when words in its pictures are still read, and how far', () => {
  const texts = { m: en(createFormat('en')), f: createFormat('en') }
  const document = (ocr: object) => ({ status: 'ready', page_count: 16, error_message: null, ocr_status: 'none', ...ocr }) as Parameters<typeof documentState>[0]
  expect(documentState(document({}), texts)).toEqual({ text: 'Ready, 16 pages' })
  expect(documentState(document({ ocr_status: 'running', ocr_page: 2, ocr_pages: 16 }), texts)).toEqual({ text: 'Reading text in pictures, 2 of 16', progress: 0.125 })
  expect(documentState(document({ ocr_status: 'pending', ocr_page: null, ocr_pages: null }), texts)).toEqual({ text: 'Reading text in pictures', progress: -1 })
})
