'use client'
import { useEffect, useId, useRef, useState, type ClipboardEvent, type FormEvent } from 'react'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import type { ConversationType, NewSession, SessionWithContext } from 'dossier-client'
import { useMessages } from '../messages/index.js'
import { pastedFiles, pickFiles, useDrop } from '../parts/add.js'
import { refusal } from '../parts/chosen.js'
import { useDossierClient } from '../../provider.js'
import { useUploadStates } from '../../hooks/use-uploads.js'
import { dossierQueries } from '../../queries.js'
import { Icon } from '../parts/icons.js'
import { LiveRegions, useAnnouncer } from '../parts/live.js'
import { Problem } from '../parts/problem.js'
import { useDraftConversation } from './draft.js'
import { Files, type Refused } from './files.js'

/** A pasted text of more characters is offered as a file. */
const LONG_PASTE = 5000

/** A type to choose in the first step. */
export interface ConversationTypeChoice {
  value: ConversationType
  label: string
  /** A few words about it. */
  about?: string | undefined
}

export interface NewConversationModalProps {
  open: boolean
  onOpenChange(open: boolean): void
  /** The conversation is stored. Its files may still be on their way: `UploadTray` shows them. */
  onCreated?: ((session: SessionWithContext) => void) | undefined
  /** The types to choose from. By default the four that Dossier comes with. */
  types?: readonly ConversationTypeChoice[] | undefined
}

/** Sets up a conversation in three steps: its type, its title, and what the assistant should know. */
export function NewConversationModal(props: NewConversationModalProps) {
  return props.open ? <Dialog {...props} /> : null
}

function Dialog({ onOpenChange, onCreated, types }: NewConversationModalProps) {
  const client = useDossierClient()
  const texts = useMessages()
  const { m } = texts
  const id = useId()
  const dialog = useRef<HTMLDialogElement>(null)
  const body = useRef<HTMLDivElement>(null)
  const announcer = useAnnouncer()
  const draft = useDraftConversation()
  const choices: readonly ConversationTypeChoice[] =
    types ?? Object.entries(m.typeLabels).map(([value, [label, about]]) => ({ value, label, about }))

  const [step, setStep] = useState(1)
  const [type, setType] = useState<ConversationType>(choices[0]?.value ?? 'meeting')
  const [title, setTitle] = useState('')
  const [organization, setOrganization] = useState<string>()
  const [text, setText] = useState('')
  const [refused, setRefused] = useState<readonly Refused[]>([])
  const [notice, setNotice] = useState<string>()
  const [pasted, setPasted] = useState<string>()
  const [starting, setStarting] = useState(false)
  const [asking, setAsking] = useState(false)

  const uploads = useUploadStates(draft.session?.id ?? '')
  const limits = useQuery(dossierQueries.limits(client))
  const organizations = useInfiniteQuery(dossierQueries.organizations(client)).data?.pages.flatMap((page) => page.rows) ?? []
  const several = organizations.length > 1
  const generated = m.generatedTitle(choices.find((choice) => choice.value === type)?.label ?? '', new Date())
  const steps = [m.stepType, m.stepTitle, m.stepFiles]
  const details: NewSession = {
    title: title.trim() || generated,
    conversation_type: type,
    ...(several && { organization_id: organization ?? organizations[0]?.id }),
  }
  const dirty = title !== '' || text !== '' || draft.queue.length + refused.length + uploads.length > 0

  useEffect(() => {
    const element = dialog.current
    const opener = document.activeElement
    element?.showModal()
    return () => {
      element?.close()
      if (opener instanceof HTMLElement && opener.isConnected) opener.focus()
    }
  }, [])
  const spoken = useRef(false)
  useEffect(() => {
    body.current?.querySelector<HTMLElement>('input:checked, input[type=text], textarea')?.focus()
    body.current?.scrollTo({ top: 0 })
    // The name of the dialog was spoken when it opened.
    if (spoken.current) announcer.say(`${m.stepOf(step, 3)}: ${[m.stepType, m.stepTitle, m.stepFiles][step - 1]}`)
    spoken.current = true
  }, [step, announcer, m])
  useEffect(() => {
    if (asking) dialog.current?.querySelector<HTMLElement>('[data-dossier-keep]')?.focus()
  }, [asking])

  const add = (chosen: readonly File[]) => {
    const { files, left } = pickFiles(chosen)
    if (files.length === 0) return
    setStep(3)
    const checked = files.map((file) => ({ file, reason: refusal(file, limits.data, texts) }))
    const bad = checked.filter((each): each is Refused => each.reason !== undefined)
    const good = checked.filter((each) => each.reason === undefined).map((each) => each.file)
    setRefused((before) => [...before, ...bad])
    for (const { file, reason } of bad) announcer.alert(m.saidFailed(file.name, reason))
    setNotice(left > 0 ? m.tooMany(files.length, files.length) : undefined)
    if (good.length > 0) void draft.add(good, details)
  }
  const { rootProps, isDragActive } = useDrop(add)

  const onPaste = (event: ClipboardEvent) => {
    const files = pastedFiles(event.clipboardData)
    if (files.length > 0) {
      event.preventDefault()
      return add(files)
    }
    const long = event.clipboardData.getData('text/plain')
    if (event.target instanceof HTMLTextAreaElement && long.length > LONG_PASTE) setPasted(long.replace(/\r\n?/g, '\n'))
  }
  const pasteAsFile = () => {
    if (pasted === undefined) return
    setText(text.replace(pasted, () => ''))
    setPasted(undefined)
    add([new File([pasted], m.pastedName, { type: 'text/plain' })])
    body.current?.querySelector('textarea')?.focus()
  }

  const leave = () => {
    if (asking) setAsking(false)
    else if (dirty && !starting) setAsking(true)
    else onOpenChange(false)
  }
  const discard = () => {
    void draft.discard()
    onOpenChange(false)
  }
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    if (asking || starting) return
    if (step < 3) return setStep(step + 1)
    setStarting(true)
    const created = await draft.start(details, text)
    setStarting(false)
    if (!created) return
    onCreated?.(created)
    onOpenChange(false)
  }

  return (
    <dialog
      ref={dialog}
      className="dossier dossier-dialog"
      aria-labelledby={`${id}-title ${id}-step`}
      onCancel={(event) => {
        event.preventDefault()
        leave()
      }}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || event.defaultPrevented) return
        event.preventDefault()
        leave()
      }}
      onPaste={onPaste}
    >
      <LiveRegions announcer={announcer} />
      <form className="dossier-dialog-form" {...rootProps} onSubmit={(event) => void submit(event)} noValidate>
        <header className="dossier-dialog-head">
          <h2 className="dossier-title" id={`${id}-title`}>
            {m.newConversation}
          </h2>
          <span className="dossier-hidden" id={`${id}-step`}>
            {m.stepOf(step, 3)}: {steps[step - 1]}
          </span>
          <ol className="dossier-steps">
            {steps.map((name, index) => (
              <li key={name} data-n={index + 1} data-done={index + 1 < step || undefined} aria-current={index + 1 === step ? 'step' : undefined}>
                {name}
              </li>
            ))}
          </ol>
          <button type="button" className="dossier-button" data-kind="icon" aria-label={m.close} title={m.close} onClick={leave}>
            <Icon name="close" />
          </button>
        </header>

        <div className="dossier-dialog-body" ref={body}>
          {step === 1 && (
            <fieldset className="dossier-group">
              <legend className="dossier-label">{m.whichType}</legend>
              <div className="dossier-choices">
                {choices.map((choice) => (
                  <label key={choice.value} className="dossier-choice">
                    <input
                      type="radio"
                      name={`${id}-type`}
                      value={choice.value}
                      checked={choice.value === type}
                      onChange={() => setType(choice.value)}
                    />
                    <span className="dossier-label">{choice.label}</span>
                    {choice.about && <span className="dossier-small">{choice.about}</span>}
                  </label>
                ))}
              </div>
            </fieldset>
          )}
          {step === 2 && (
            <>
              <div className="dossier-group">
                <label className="dossier-label" htmlFor={`${id}-name`}>
                  {m.whichTitle}
                </label>
                <input
                  className="dossier-field"
                  type="text"
                  id={`${id}-name`}
                  aria-describedby={`${id}-hint`}
                  maxLength={200}
                  autoComplete="off"
                  placeholder={generated}
                  value={title}
                  onChange={(event) => setTitle(event.currentTarget.value)}
                />
                <p className="dossier-small" id={`${id}-hint`}>
                  {m.titleHint(generated)}
                </p>
              </div>
              {several && (
                <div className="dossier-group">
                  <label className="dossier-label" htmlFor={`${id}-organization`}>
                    {m.organization}
                  </label>
                  <select
                    className="dossier-field"
                    id={`${id}-organization`}
                    // The session belongs to it from its first file on.
                    disabled={draft.session !== null}
                    value={organization ?? organizations[0]?.id}
                    onChange={(event) => setOrganization(event.currentTarget.value)}
                  >
                    {organizations.map((each) => (
                      <option key={each.id} value={each.id}>
                        {each.name}
                      </option>
                    ))}
                  </select>
                </div>
              )}
            </>
          )}
          {step === 3 && (
            <>
              <div className="dossier-group">
                <label className="dossier-label" htmlFor={`${id}-context`}>
                  {m.whichContext}
                </label>
                <textarea
                  className="dossier-field"
                  id={`${id}-context`}
                  rows={4}
                  placeholder={m.contextPlaceholder}
                  value={text}
                  onChange={(event) => setText(event.currentTarget.value)}
                />
                {pasted !== undefined && (
                  <div className="dossier-note" role="status">
                    <p>{m.pasteAsFile(pasted.length)}</p>
                    <div className="dossier-inline">
                      <button type="button" className="dossier-button" data-size="small" onClick={pasteAsFile}>
                        {m.pasteFile}
                      </button>
                      <button type="button" className="dossier-button" data-kind="quiet" data-size="small" onClick={() => setPasted(undefined)}>
                        {m.pasteKeep}
                      </button>
                    </div>
                  </div>
                )}
              </div>
              <Files
                sessionId={draft.session?.id ?? ''}
                queue={draft.queue}
                refused={refused}
                limits={limits.data}
                notice={notice}
                announcer={announcer}
                onFiles={add}
                onDropQueued={draft.drop}
                onDropRefused={(file) => setRefused((before) => before.filter((each) => each.file !== file))}
              />
            </>
          )}
          {draft.error != null && (
            <div role="alert">
              <Problem
                title={m.notCreated}
                error={draft.error}
                safe={m.stillHere}
                onRetry={draft.queue.length > 0 ? () => void draft.send(details) : undefined}
              />
            </div>
          )}
        </div>

        {asking ? (
          <footer className="dossier-dialog-foot" role="group" aria-labelledby={`${id}-discard`} aria-describedby={`${id}-lost`}>
            <div className="dossier-ask">
              <p className="dossier-label" id={`${id}-discard`}>
                {m.discard}
              </p>
              <p className="dossier-small" id={`${id}-lost`}>
                {m.discardText}
              </p>
            </div>
            <button type="button" className="dossier-button dossier-push" data-dossier-keep onClick={() => setAsking(false)}>
              {m.discardNo}
            </button>
            <button type="button" className="dossier-button" data-kind="danger" onClick={discard}>
              {m.discardYes}
            </button>
          </footer>
        ) : (
          <footer className="dossier-dialog-foot">
            {step > 1 && (
              <button type="button" className="dossier-button" data-kind="quiet" onClick={() => setStep(step - 1)}>
                {m.back}
              </button>
            )}
            {step === 3 && uploads.length > 0 && <p className="dossier-small">{m.continueAfter}</p>}
            <button type="submit" className="dossier-button dossier-push" data-kind="main" aria-disabled={starting}>
              {step < 3 ? m.next : starting ? m.starting : m.start}
            </button>
          </footer>
        )}
        {isDragActive && <div className="dossier-drag">{m.dropHere}</div>}
      </form>
    </dialog>
  )
}
