// The reference server of tus with its file store in the folder named, in a process of its own. Prints its port.

import { FileStore } from '../../tests/e2e/node_modules/@tus/file-store/dist/index.js'
import { Server } from '../../tests/e2e/node_modules/@tus/server/dist/index.js'

const server = new Server({ path: '/files', datastore: new FileStore({ directory: process.argv[2] }) })
const http = server.listen(0, '127.0.0.1', () => console.log(http.address().port))
