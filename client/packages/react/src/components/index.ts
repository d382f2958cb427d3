/** Components in plain CSS. Import `dossier-react/styles.css` once. */

export { ContextEditor, type ContextEditorProps } from './context-editor.js'
export { DocumentList, type DocumentListProps } from './document-list.js'
export { DocumentViewer, type DocumentViewerProps } from './document-viewer.js'
export { MessagesProvider, useMessages, type Format, type Messages, type MessagesProviderProps, type Texts } from './messages/index.js'
export { NewConversationModal, type ConversationTypeChoice, type NewConversationModalProps } from './new-conversation/index.js'
export type { Reading } from './parts/state.js'
export { SearchPanel, type SearchPanelProps } from './search-panel.js'
export { UploadTray, type UploadTrayProps } from './upload-tray.js'
