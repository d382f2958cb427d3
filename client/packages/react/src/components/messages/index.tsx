'use client'
import { createContext, useContext, useMemo, type ReactNode } from 'react'
import { de } from './de.js'
import { en, type Messages } from './en.js'
import { createFormat, type Format } from './format.js'

export type { Format, Messages }

/** What `useMessages` returns: the catalogue, and the formats of the same language. */
export interface Texts {
  readonly m: Messages
  readonly f: Format
}

function textsFor(locale: string, messages?: Partial<Messages>): Texts {
  const german = /^de\b/i.test(locale)
  const f = createFormat(locale, german ? 'gerade eben' : /^en\b/i.test(locale) ? 'just now' : undefined)
  const catalogue = (german ? de : en)(f)
  return { f, m: messages ? { ...catalogue, ...messages } : catalogue }
}

const TextsContext = createContext<Texts>(textsFor('en'))

export interface MessagesProviderProps {
  /** A language tag. German has its own catalogue, others get English with their own numbers and dates. */
  locale: string
  /** Texts to replace. */
  messages?: Partial<Messages> | undefined
  children?: ReactNode
}

/** Sets the language of the components below. Without it they speak English. */
export function MessagesProvider({ locale, messages, children }: MessagesProviderProps) {
  const texts = useMemo(() => textsFor(locale, messages), [locale, messages])
  return <TextsContext.Provider value={texts}>{children}</TextsContext.Provider>
}

/** The texts and formats in the language of the nearest `MessagesProvider`. */
export const useMessages = (): Texts => useContext(TextsContext)
