const PATHS = {
  close: 'M4 4l8 8M12 4l-8 8',
  more: 'M8 3.5v.01M8 8v.01M8 12.5v.01',
  retry: 'M13 8a5 5 0 1 1-1.5-3.5M13 2v3h-3',
  pause: 'M6 3.5v9M10 3.5v9',
  play: 'M5.5 3.5l6.5 4.5-6.5 4.5z',
  search: 'M7 12a5 5 0 1 0 0-10 5 5 0 0 0 0 10zM10.7 10.7L14 14',
  previous: 'M10 3L5 8l5 5',
  next: 'M6 3l5 5-5 5',
  down: 'M3 6l5 5 5-5',
  up: 'M3 10l5-5 5 5',
} as const

/** A 16 px stroke. Always beside a name for screen readers, so it is hidden from them. */
export function Icon({ name }: { name: keyof typeof PATHS }) {
  return (
    <svg viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} strokeWidth={name === 'more' ? 2.25 : undefined} />
    </svg>
  )
}
