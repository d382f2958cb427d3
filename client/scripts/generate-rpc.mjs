/**
 * Writes packages/core/src/rpc.ts, the types of the schema `dossier` for `supabase.schema('dossier')`. With `--check` it only
 * compares. The sources are made from the catalogue by `./dev snapshot`: tests/schema/snapshot.txt has the objects, and
 * docs/sql.md the comments.
 */

import { readFile, writeFile } from 'node:fs/promises'

const repository = new URL('../../', import.meta.url)
const target = new URL('client/packages/core/src/rpc.ts', repository)
const read = (path) => readFile(new URL(path, repository), 'utf8')

/** JSON whose shape the client knows. */
const shapes = {
  context_record: 'Context',
  finish_import: 'Imported',
  forget_organization: 'ErasureReceipt',
  import_sessions: 'Imported',
  pack_context: 'Pack',
}

/** The columns of results that are never null. The catalogue does not know: a function may return anything. */
const neverNull = {
  context_history: ['version', 'updated_at', 'text_changed', 'metadata_changed', 'text_bytes', 'text_start'],
  deleted_sessions: ['id', 'organization_id', 'user_id', 'conversation_type', 'deleted_at', 'purge_at'],
  diff_context: ['part', 'change', 'line'],
  explain_upload: ['check_name', 'passed', 'concerns'],
  hold_upload: ['expires_at', 'stored_bytes'],
  hybrid_search: ['kind', 'session_id', 'rank', 'snippet'],
  list_uploads: ['client_metadata', 'created_at', 'expires_at', 'id', 'media_type', 'metadata', 'name', 'session_id', 'stored_bytes'],
  match_pages: ['session_id', 'document_id', 'document_name', 'page', 'similarity', 'snippet'],
  search: ['kind', 'session_id', 'rank', 'snippet', 'cursor'],
  upload_state: ['created_at', 'id', 'media_type', 'metadata', 'name', 'session_id', 'stored_bytes'],
  usage: [
    'bytes', 'context_bytes', 'documents', 'documents_today', 'extraction_seconds_today', 'file_bytes', 'import_bytes', 'metadata_bytes',
    'text_bytes', 'thumbnail_bytes', 'trashed_bytes', 'trashed_documents',
  ],
}

const scalars = {
  boolean: 'boolean',
  bigint: 'number', integer: 'number', smallint: 'number', real: 'number', 'double precision': 'number', numeric: 'number',
  json: 'Json', jsonb: 'Json',
  bytea: 'string', interval: 'string', name: 'string', regclass: 'string', text: 'string', uuid: 'string',
  'timestamp with time zone': 'string',
  void: 'undefined',
}

function typeOf(sql) {
  const array = sql.endsWith('[]')
  const type = scalars[array ? sql.slice(0, -2) : sql]
  if (!type) throw new Error(`the type ${sql} has no equivalent in scripts/generate-rpc.mjs`)
  return array ? `${type}[]` : type
}

/** Splits at commas outside quotes and parentheses. */
function split(list) {
  const parts = []
  let depth = 0
  let quoted = false
  let part = ''
  for (const character of list) {
    if (character === "'") quoted = !quoted
    if (!quoted && '([{'.includes(character)) depth += 1
    if (!quoted && ')]}'.includes(character)) depth -= 1
    if (character === ',' && depth === 0 && !quoted) {
      parts.push(part.trim())
      part = ''
    } else part += character
  }
  return part.trim() ? [...parts, part.trim()] : parts
}

/** The objects of the schema, each a line and the indented lines below it. */
function objectsOf(snapshot, kind) {
  return snapshot.split(/\n(?=\S)/).filter((object) => object.startsWith(`${kind} dossier.`)).map((object) => {
    const [head, ...lines] = object.trimEnd().split('\n')
    return { head, lines: lines.map((line) => line.trim()) }
  })
}

/** What a role may do: {select: true, update: ['name', 'metadata'], …}. */
function grantsOf(lines, role) {
  const grants = {}
  for (const line of lines) {
    const [, rights, roles] = line.match(/^grant (.*) to (.*)$/) ?? []
    if (!roles?.split(', ').includes(role)) continue
    for (const right of split(rights)) {
      const [, name, columns] = right.match(/^(\w+)(?: \((.*)\))?$/)
      grants[name] = columns ? columns.split(', ') : true
    }
  }
  return grants
}

function tableOf({ head, lines }) {
  const [, name] = head.match(/^table dossier\.(\w+)/)
  const choices = {}
  const relationships = []
  let key = ''
  for (const line of lines) {
    const [, column, values] = line.match(/^constraint \w+ CHECK \((\w+) = ANY \(ARRAY\[(.*)\]\)\)$/) ?? []
    if (column) choices[column] = split(values).map((value) => value.replace(/::\w+$/, '')).join(' | ')
    key = line.match(/^constraint \w+ PRIMARY KEY \((.*)\)$/)?.[1] ?? key
    const foreign = line.match(/^constraint (\w+) FOREIGN KEY \((.*?)\) REFERENCES dossier\.(\w+)\((.*?)\)/)
    if (foreign) relationships.push(foreign.slice(1))
  }
  const columns = lines.flatMap((line) => {
    const [, column, type, rest] = line.match(/^column (\w+) (.*?)((?: not null| default | generated | storage ).*)?$/) ?? []
    if (!column) return []
    const nullable = !rest?.includes(' not null')
    return [{
      name: column,
      type: (choices[column] ?? typeOf(type)) + (nullable ? ' | null' : ''),
      optional: nullable || Boolean(rest?.includes(' default ')),
      generated: Boolean(rest?.includes(' generated ')),
    }]
  })
  const user = grantsOf(lines, 'authenticated')
  const service = grantsOf(lines, 'service_role')
  if (!user.select && !service.select) return null
  const allowed = (right) => {
    const granted = user[right] ?? service[right]
    return granted ? columns.filter((column) => !column.generated && (granted === true || granted.includes(column.name))) : []
  }
  return { name, columns, insert: allowed('insert'), update: allowed('update'), relationships, key }
}

function functionOf({ head, lines }, tables) {
  const [, name, plain, returns] = head.match(/^function dossier\.(\w+)\((.*?)\) returns (.*)$/)
  const callers = [grantsOf(lines, 'authenticated'), grantsOf(lines, 'service_role')]
  if (!callers.some((grants) => grants.execute)) return null
  const list = split(lines.find((line) => line.startsWith('arguments '))?.slice('arguments '.length) ?? plain)
  const args = list.map((argument) => {
    const [, argumentName, type, standard] = argument.match(/^(\w+) (.*?)(?: DEFAULT (.*))?$/)
    return { name: argumentName, type, optional: standard !== undefined, nullable: standard?.startsWith('NULL') }
  })
  // A function of a row is a computed column, which PostgREST offers in selections, not as a call.
  if (args.some(({ type }) => type.startsWith('dossier.'))) return null
  const [, setof, relation] = returns.match(/^(SETOF )?dossier\.(\w+)$/) ?? []
  if (relation && !tables.has(relation)) return null
  return { name, args, returns, relation, setof: setof !== undefined }
}

const block = (indent, lines) => (lines.length === 0 ? 'Record<string, never>' : `{\n${lines.map((line) => `${indent}  ${line}\n`).join('')}${indent}}`)

function tableText({ name, columns, insert, update, relationships, key }, comment) {
  const indent = '        '
  const links = relationships.map(([constraint, from, to, referenced]) => {
    const names = (list) => `[${list.split(', ').map((column) => `'${column}'`).join(', ')}]`
    return `{ foreignKeyName: '${constraint}'; columns: ${names(from)}; isOneToOne: ${from === key}; referencedRelation: '${to}'; referencedColumns: ${names(referenced)} }`
  })
  return `${comment}      ${name}: {
        Row: ${block(indent, columns.map((column) => `${column.name}: ${column.type}`))}
        Insert: ${block(indent, insert.map((column) => `${column.name}${column.optional ? '?' : ''}: ${column.type}`))}
        Update: ${block(indent, update.map((column) => `${column.name}?: ${column.type}`))}
        Relationships: [${links.length > 0 ? `\n${links.map((link) => `          ${link},\n`).join('')}        ` : ''}]
      }
`
}

function returnsText({ name, returns, relation, setof }) {
  if (relation) return `DossierDatabase['dossier']['Tables']['${relation}']['Row']${setof ? '[]' : ''}`
  const table = returns.match(/^TABLE\((.*)\)$/)
  if (table) {
    const columns = split(table[1]).map((column) => {
      const [, columnName, type] = column.match(/^(\w+) (.*)$/)
      return `${columnName}: ${typeOf(type)}${neverNull[name]?.includes(columnName) ? '' : ' | null'}`
    })
    return `{ ${columns.join('; ')} }[]`
  }
  const set = returns.match(/^SETOF (.*)$/)
  return set ? `${typeOf(set[1])}[]` : (shapes[name] ?? typeOf(returns))
}

function functionText(definition, comment) {
  const { name, args, relation, setof } = definition
  const list = args.map((argument) => `${argument.name}${argument.optional ? '?' : ''}: ${typeOf(argument.type)}${argument.nullable ? ' | null' : ''}`)
  const source = relation ? `\n        SetofOptions: { from: '*'; to: '${relation}'; isOneToOne: ${!setof}; isSetofReturn: ${setof} }` : ''
  return `${comment}      ${name}: {
        Args: ${list.length > 0 ? `{ ${list.join('; ')} }` : 'never'}
        Returns: ${returnsText(definition)}${source}
      }
`
}

/** The comments of docs/sql.md by heading. */
function commentsOf(reference) {
  const comments = new Map()
  for (const section of reference.split(/^### /m).slice(1)) {
    const [heading, ...lines] = section.split('\n')
    const text = lines.join('\n').replace(/```sql[^]*?```/, '').split(/^(?:\||## )/m)[0].trim()
    comments.set(heading, text.replace(/\\([*<|])/g, '$1').replaceAll('*/', '*\\/'))
  }
  return (heading) => (comments.get(heading) ? `      /** ${comments.get(heading)} */\n` : '')
}

const snapshot = await read('tests/schema/snapshot.txt')
const comment = commentsOf(await read('docs/sql.md'))
const tables = objectsOf(snapshot, 'table').map(tableOf).filter(Boolean)
const names = new Set(tables.map(({ name }) => name))
const functions = objectsOf(snapshot, 'function').map((object) => functionOf(object, names)).filter(Boolean)
const twice = functions.find(({ name }, index) => functions.findIndex((other) => other.name === name) !== index)
if (twice) throw new Error(`dossier.${twice.name} has two signatures, which scripts/generate-rpc.mjs does not merge`)

const used = [...new Set(functions.map(({ name }) => shapes[name]).filter(Boolean))].sort()
const text = `/**
 * The schema \`dossier\` as Supabase's client sees it. Generated by scripts/generate-rpc.mjs: do not edit.
 *
 * \`\`\`ts
 * const supabase = createClient<DossierDatabase>(url, key) // or <AppDatabase & DossierDatabase>
 * const { data, error } = await supabase.schema('dossier').rpc('search', { query: 'price' })
 * \`\`\`
 */

import type { ${used.join(', ')}, Json } from './types.js'

export type DossierDatabase = {
  dossier: {
    Tables: {
${tables.map((table) => tableText(table, comment(`Table ${table.name}`))).join('')}    }
    Views: Record<never, never>
    Functions: {
${functions.map((definition) => functionText(definition, comment(definition.name))).join('')}    }
    Enums: Record<never, never>
    CompositeTypes: Record<never, never>
  }
}
`

if (process.argv.includes('--check')) {
  if ((await readFile(target, 'utf8').catch(() => '')) !== text) {
    console.error('packages/core/src/rpc.ts differs from the schema. Run: node client/scripts/generate-rpc.mjs')
    process.exitCode = 1
  }
} else {
  await writeFile(target, text)
}
