import type { Document, UploadState } from 'dossier-client'
import { isRecognizing } from '../../queries.js'
import type { Texts } from '../messages/index.js'

/** The one line of state in a file's row, and its bar. */
export interface RowState {
  text: string
  tone?: 'danger' | 'warning' | 'good' | undefined
  /** From 0 to 1; -1 while the end is unknown. Without it there is no bar. */
  progress?: number | undefined
  /** Whether the bar stands still. */
  still?: boolean | undefined
}

/** How far the reading of a document is, from the event stream. */
export interface Reading {
  page?: number | null | undefined
  pages?: number | null | undefined
}

const join = (...sentences: (string | null | undefined)[]) =>
  sentences
    .filter(Boolean)
    .map((sentence) => (/[.!?。]$/.test(sentence as string) ? sentence : `${sentence}.`))
    .join(' ')

export function documentState(document: Document, { m }: Texts, reading?: Reading | null): RowState {
  const { page, pages } = reading ?? {}
  switch (document.status) {
    case 'uploading':
      return { text: m.uploadingElsewhere }
    case 'stored':
      return { text: m.stored }
    case 'extracting':
      return page ? { text: m.readingPage(page, pages ?? undefined), progress: pages ? page / pages : -1 } : { text: m.reading, progress: -1 }
    case 'ready':
      if (isRecognizing(document)) {
        const { ocr_page: done, ocr_pages: all } = document
        return { text: m.readingPictures(done ?? 0, all ?? 0), progress: all ? (done ?? 0) / all : -1 }
      }
      return document.error_message
        ? { text: join(m.ready(document.page_count), document.error_message), tone: 'warning' }
        : { text: m.ready(document.page_count) }
    case 'unsupported':
      return { text: join(m.stored, document.error_message), tone: 'warning' }
    case 'failed':
      return { text: document.error_message ?? m.failed, tone: 'danger' }
  }
}

export function uploadState(upload: UploadState, texts: Texts, reading?: Reading | null): RowState {
  const { m } = texts
  switch (upload.status) {
    case 'queued':
    case 'paused':
      switch (upload.waitsFor) {
        case 'check':
          return { text: m.checking }
        case 'connection':
          return { text: m.offlineFile, progress: upload.progress, still: true }
        case 'sign-in':
          return { text: m.signIn, tone: 'warning', progress: upload.progress, still: true }
        case 'decision':
          return { text: m.duplicate(upload.duplicate?.name ?? upload.name), tone: 'warning' }
        case 'user':
          return { text: m.paused(upload.progress), progress: upload.progress, still: true }
        default:
          return { text: m.waiting, ...(upload.sent > 0 && { progress: upload.progress, still: true }) }
      }
    case 'uploading':
      return { text: m.uploading(upload.progress, upload.secondsLeft ?? undefined), progress: upload.progress }
    case 'failed':
      return { text: join(upload.error?.message ?? m.failed, upload.error?.hint), tone: 'danger' }
    case 'cancelled':
      return { text: m.cancelled }
    default: {
      if (!upload.document) return { text: upload.status === 'reading' ? m.reading : m.stored }
      const state = documentState(upload.document, texts, reading)
      // In a list everything is ready; here the word is news.
      return upload.document.status === 'ready' && !state.tone ? { ...state, tone: 'good' } : state
    }
  }
}

/** What stands on the sheet of a file without a thumbnail: its extension, at most four letters. */
export const typeLabel = (name: string): string => /\.([^.]{1,5})$/.exec(name)?.[1]?.slice(0, 4).toUpperCase() ?? ''
