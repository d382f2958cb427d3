import type { Format } from './format.js'

/** Every text that the components show. An app may replace any of them. */
export const en = (f: Format) => {
  const files = (n: number) => f.plural(n, { one: '1 file', other: '# files' })
  const kind = (name: string) => /\.([^.]{1,8})$/.exec(name)?.[1]?.toUpperCase() ?? 'These'
  const pages = (n: number) => f.plural(n, { one: '1 page', other: '# pages' })
  return {
    close: 'Close',
    back: 'Back',
    next: 'Continue',
    undo: 'Undo',
    retry: 'Try again',
    loadMore: 'Show more',
    loading: 'Loading',
    failedToLoad: (what: string) => `${what} could not be loaded.`,

    // A file and its states
    waiting: 'Waiting',
    checking: 'Comparing with files that are already here',
    uploading: (fraction: number, left?: number) =>
      `Uploading ${f.percent(fraction)}${left === undefined ? '' : `, ${f.seconds(left)} left`}`,
    paused: (fraction: number) => `Paused at ${f.percent(fraction)}`,
    offlineFile: 'Waiting for a connection',
    signIn: 'Waiting for you to sign in again',
    stored: 'Stored',
    reading: 'Reading',
    readingPage: (page: number, total?: number) =>
      total ? `Reading page ${f.number(page)} of ${f.number(total)}` : `Reading page ${f.number(page)}`,
    readingPictures: (page?: number, total?: number) =>
      total ? `Reading text in pictures, ${f.number(page ?? 0)} of ${f.number(total)}` : 'Reading text in pictures',
    ready: (n?: number | null) => (n ? `Ready, ${pages(n)}` : 'Ready'),
    failed: 'Failed',
    cancelled: 'Cancelled',
    duplicate: (name: string) => `Already here as ${name}`,
    useExisting: 'Use that one',
    uploadAnyway: 'Upload anyway',
    cancelUpload: (name: string) => `Cancel upload of ${name}`,
    pauseUpload: (name: string) => `Pause upload of ${name}`,
    resumeUpload: (name: string) => `Resume upload of ${name}`,
    retryFile: (name: string) => `Retry ${name}`,
    removeFile: (name: string) => `Remove ${name}`,
    chooseAgain: (name: string, fraction: number) => `Choose ${name} again to continue at ${f.percent(fraction)}`,
    chooseFile: 'Choose the file',
    chooseFileOf: (name: string) => `Choose the file ${name}`,
    progressOf: (name: string) => `Progress of ${name}`,

    // Adding files
    files: 'Files',
    addFiles: 'Add files',
    chooseFiles: 'Choose files',
    chooseFolder: 'Choose a folder',
    takePhoto: 'Take a photo',
    dropHint: (maxBytes?: number) =>
      `or drop them anywhere in this window. PDF, Word, Excel, slides, mail, text, images${maxBytes ? `; ${f.bytes(maxBytes)} each` : ''}.`,
    dropHere: 'Drop to add',
    tooLarge: (size: number, most: number) => `${f.bytesOver(size, most)} is over the limit of ${f.bytes(most)}. This file will be skipped.`,
    wrongType: (name: string) => `${kind(name)} files cannot be stored here. This file will be skipped.`,
    emptyFile: 'The file is empty. It will be skipped.',
    tooMany: (taken: number, most: number) => `Only the first ${f.number(taken)} files were added; ${f.number(most)} can be added at a time.`,
    pasteAsFile: (characters: number) => `You pasted ${f.number(characters)} characters. Keep them as a file instead?`,
    pasteKeep: 'Keep as text',
    pasteFile: 'Make it a file',
    pastedName: 'Pasted text.txt',
    uploadAllFailed: (n: number) => `${files(n)} need attention`,

    // What is spoken
    saidStarted: (n: number) => `Uploading ${files(n)}`,
    saidMilestone: (fraction: number) => `${f.percent(fraction)} uploaded`,
    saidDone: (name: string, done: number, all: number) => `${name} uploaded, ${f.number(done)} of ${f.number(all)}`,
    saidFailed: (name: string, reason: string) => `${name}: ${reason}`,
    saidRemoved: (name: string) => `${name} removed`,
    saidResults: (n: number) => f.plural(n, { one: '1 result', other: '# results' }),

    // New conversation
    newConversation: 'New conversation',
    stepOf: (step: number, all: number) => `Step ${f.number(step)} of ${f.number(all)}`,
    stepType: 'Type',
    stepTitle: 'Title',
    stepFiles: 'Context and files',
    whichType: 'What kind of conversation is it?',
    typeLabels: {
      sales_call: ['Sales call', 'Offers, prices, objections'],
      interview: ['Interview', 'Candidates, CVs, notes'],
      meeting: ['Meeting', 'Agenda, minutes, decisions'],
      consultation: ['Consultation', 'Advice, findings, next steps'],
    } as Record<string, readonly [label: string, about: string]>,
    whichTitle: 'What is it called?',
    titleHint: (generated: string) => `Leave it empty to call it “${generated}”. You can change it at any time.`,
    generatedTitle: (type: string, date: Date) =>
      `${type}, ${new Intl.DateTimeFormat(f.locale, { weekday: 'long', day: 'numeric', month: 'long' }).format(date)}`,
    whichContext: 'What should the assistant know?',
    contextPlaceholder: 'Who it is about, what matters, what was agreed',
    organization: 'Organization',
    continueAfter: 'Uploads continue after you start.',
    start: 'Start conversation',
    starting: 'Starting',
    notCreated: 'The conversation could not be created.',
    stillHere: 'Your text and files are still here.',
    discard: 'Discard this conversation?',
    discardText: 'Your text and the list of files are not saved yet.',
    discardYes: 'Discard',
    discardNo: 'Keep editing',

    // Tray
    trayUploading: (n: number) => `Uploading ${files(n)}`,
    trayDone: (n: number) => `${files(n)} stored`,
    trayPaused: (n: number) => `${files(n)} waiting`,
    showUploads: 'Show uploads',
    hideUploads: 'Hide uploads',

    // Documents
    documents: 'Documents',
    noDocuments: 'No documents yet. Add files, or drop them anywhere.',
    actionsFor: (name: string) => `Actions for ${name}`,
    download: 'Download',
    runOcr: 'Read text in pictures',
    readAgain: 'Read again',
    delete: 'Delete',
    deleted: (name: string) => `${name} deleted`,
    uploadingElsewhere: 'Uploading in another window',

    // Context
    context: 'Context',
    savedVersion: (version: number, when: string) => `Version ${f.number(version)}, saved ${when}`,
    notSavedYet: 'Nothing saved yet',
    saving: 'Saving',
    unsaved: 'Not saved yet',
    draftKept: 'Your draft is kept on this device.',
    draftRestored: 'Your unsaved draft is back.',
    dropDraft: 'Use the saved version',
    saveFailed: 'The context could not be saved.',
    readOnly: 'You can read this context, but not change it.',
    conflict: (who: string, when: string) => `${who} saved another version ${when}`,
    someone: 'Someone',
    conflictText: 'Nothing is lost. Compare the two and choose; autosave waits until then.',
    conflictDiff: 'From their version to yours',
    added: 'added:',
    removed: 'removed:',
    keepMine: 'Keep mine',
    useTheirs: 'Use theirs',
    mergeBoth: 'Edit both together',
    history: 'History',
    hideHistory: 'Hide history',
    version: (n: number) => `Version ${f.number(n)}`,
    versionBy: (when: string, who: string) => `${when} by ${who}`,
    restore: (n: number) => `Restore version ${f.number(n)}`,
    restoreShort: 'Restore',
    restored: (n: number) => `Version ${f.number(n)} restored`,
    emptyText: 'empty',
    compare: 'Compare',
    compareVersion: (n: number) => `Compare version ${f.number(n)}`,
    withCurrent: 'with the current version',
    withPrevious: 'with the one before',
    fromTo: (from: number, to: number) =>
      from === 0 ? `Version ${f.number(to)} was the first` : `From version ${f.number(from)} to version ${f.number(to)}`,
    sameText: 'The text is the same.',

    // Search
    search: 'Search',
    results: 'The results',
    searchThis: 'Search this conversation',
    searchAll: 'Search all conversations',
    noResults: (query: string) => `Nothing matches “${query}”. Try fewer words, or the start of one followed by *.`,
    pageOf: (page: number, total?: number | null) =>
      total ? `page ${f.number(page)} of ${f.number(total)}` : `page ${f.number(page)}`,
    inContext: 'Context',
    inName: 'Name of the file',
    missingWords: (words: readonly string[]) => `Without: ${words.join(', ')}`,

    // Viewer
    previousPage: 'Previous page',
    nextPage: 'Next page',
    matches: (n: number, query: string) => `${f.plural(n, { one: '1 match', other: '# matches' })} for “${query}”`,
    noMatches: (query: string) => `“${query}” is not marked on this page`,
    original: 'Original',
    hideOriginal: 'Hide original',
    originalOf: (name: string) => `Original of ${name}`,
    noOriginal: 'This format cannot be shown here. Download it to see the original.',
    emptyPage: 'This page has no text.',
    notReadable: 'There is no text to show.',
    stillReading: 'The text appears here as soon as it has been read.',
  }
}

export type Messages = ReturnType<typeof en>
