// What a screen reader says about uploads, word for word.

import { afterEach, expect, test, vi } from 'vitest'
import type { UploadState } from 'dossier-client'
import { createFormat } from '../src/components/messages/format.ts'
import { en } from '../src/components/messages/en.ts'
import { createAnnouncer } from '../src/components/parts/live.tsx'
import { createSpeaker } from '../src/components/parts/speak.tsx'

const texts = { m: en(createFormat('en')), f: createFormat('en') }
const upload = (name: string, status: UploadState['status'], sent = 0, more: Partial<UploadState> = {}) =>
  ({ id: name, name, size: 1000, status, sent, document: null, error: null, ...more }) as UploadState

afterEach(() => vi.useRealTimers())

test('three uploads, one of which fails, are one start, the quarters, and one end each', () => {
  const log: string[] = []
  const speak = createSpeaker({ say: (text) => log.push(`polite: ${text}`), alert: (text) => log.push(`assertive: ${text}`) })
  const error = { code: 'PT415', message: 'This file is not a PDF', details: null, hint: null }
  const steps: [UploadState['status'], number][][] = [
    [['queued', 0], ['queued', 0], ['queued', 0]],
    [['uploading', 100], ['uploading', 0], ['queued', 0]],
    [['uploading', 600], ['uploading', 300], ['queued', 0]],
    [['uploading', 650], ['failed', 300], ['uploading', 0]],
    [['stored', 1000], ['failed', 300], ['uploading', 10]],
    [['reading', 1000], ['failed', 300], ['uploading', 600]],
    [['ready', 1000], ['failed', 300], ['uploading', 990]],
    [['ready', 1000], ['failed', 300], ['stored', 1000]],
    [['ready', 1000], ['failed', 300], ['ready', 1000]],
  ]
  const names = ['report.pdf', 'offer.pdf', 'notes.txt']
  for (const step of steps) {
    speak(step.map(([status, sent], index) => upload(names[index] ?? '', status, sent, status === 'failed' ? { error } : {})), texts)
  }
  expect(log).toEqual([
    'polite: Uploading 3 files',
    'polite: 25% uploaded',
    'assertive: offer.pdf: This file is not a PDF',
    'polite: report.pdf uploaded, 1 of 3',
    'polite: 50% uploaded',
    'polite: 75% uploaded',
    'polite: notes.txt uploaded, 2 of 3',
  ])
})

test('texts within a quarter of a second are spoken as one, and failures apart from the rest', () => {
  vi.useFakeTimers()
  const announcer = createAnnouncer()
  announcer.say('a.pdf uploaded, 1 of 2')
  announcer.say('b.pdf uploaded, 2 of 2')
  announcer.alert('c.pdf: The file is empty')
  expect(announcer.getState()).toEqual({ polite: '', assertive: '' })
  vi.advanceTimersByTime(250)
  expect(announcer.getState()).toEqual({ polite: 'a.pdf uploaded, 1 of 2. b.pdf uploaded, 2 of 2', assertive: 'c.pdf: The file is empty' })
  vi.advanceTimersByTime(5000)
  expect(announcer.getState()).toEqual({ polite: '', assertive: '' })
})
