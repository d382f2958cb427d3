// The stylesheet exports nothing. Since TypeScript 6, an import for its side effects needs a declaration.
export {}
