import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import ts from 'typescript'
import { expect, test } from 'vitest'

import { drawnLanguage } from './language'
import { resources } from './resources'

const SOURCE = join(import.meta.dirname, '..')

/** Every text by its dotted key. */
function texts(tree: unknown, prefix = ''): Map<string, string> {
  if (typeof tree === 'string') return new Map([[prefix, tree]])
  const entries = Object.entries(tree as Record<string, unknown>)
  return new Map(
    entries.flatMap(([key, value]) => [...texts(value, prefix === '' ? key : `${prefix}.${key}`)]),
  )
}

const english = texts(resources.en.translation)
const korean = texts(resources.ko.translation)

/** Korean has one plural form, so that `_one` exists in English only. */
const pluralsOfKorean = (key: string) => !key.endsWith('_one')

test('both languages have the same keys', () => {
  expect([...korean.keys()].sort()).toEqual([...english.keys()].filter(pluralsOfKorean).sort())
})

test('no text is empty, and each names the same values in both languages', () => {
  const values = (text = '') => [...text.matchAll(/\{\{(\w+)\}\}/g)].map(([, name]) => name).sort()
  for (const [key, text] of korean) {
    expect(text.trim(), key).not.toBe('')
    expect(values(text), key).toEqual(values(english.get(key)))
  }
  for (const [key, text] of english) expect(text.trim(), key).not.toBe('')
})

/** Attributes that people read. */
const READ_BY_PEOPLE = new Set([
  'label',
  'title',
  'placeholder',
  'aria-label',
  'alt',
  'description',
])

/** The program's name is the same in every language. */
const NAME = 'Weft'

/** Texts in a component's source that are not translated. */
function hardCoded(file: string): string[] {
  const source = readFileSync(join(SOURCE, file), 'utf8')
  const found: string[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isJsxText(node)) found.push(node.text.trim())
    if (ts.isJsxAttribute(node) && READ_BY_PEOPLE.has(node.name.getText())) {
      if (node.initializer && ts.isStringLiteral(node.initializer)) {
        found.push(node.initializer.text)
      }
    }
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX))
  return found.filter((text) => /\p{Letter}/u.test(text) && text !== NAME)
}

test('no component has a text of its own', () => {
  const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
  const components = files.filter((name) => name.endsWith('.tsx') && !name.endsWith('.test.tsx'))
  const found = components.map((name) => [name, hardCoded(name)] as const)
  expect(found.filter(([, list]) => list.length > 0)).toEqual([])
})

test('the first language of the browser that there is decides, unless one was chosen', () => {
  expect(drawnLanguage('auto', ['de-DE', 'ko-KR', 'en'])).toBe('ko')
  expect(drawnLanguage('auto', ['fr'])).toBe('en')
  expect(drawnLanguage('en', ['ko'])).toBe('en')
})
