import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { expect, test } from '@playwright/test'

import { pngTexts } from '../src/files/png'
import { Editor } from './editor'
import { startServer, type Server } from './server'

const PROMPT = 'a small yellow star on a black background'

let server: Server

test.beforeAll(async () => {
  server = await startServer()
})

test.afterAll(async () => {
  await server.stop()
})

test('a changed prompt becomes a picture on disk that carries its workflow', async ({ page }) => {
  const editor = new Editor(page)
  await editor.open(server.url)
  await editor.describe(PROMPT)
  await editor.queue()

  const picture = editor.pictureOf('Save Image')
  await expect(picture).toBeVisible({ timeout: 240_000 })
  await expect
    .poll(() => picture.evaluate((image: HTMLImageElement) => image.naturalWidth))
    .toBeGreaterThan(0)

  const files = await readdir(join(server.base, 'output'))
  expect(files).toEqual(['weft_00001_.png'])
  const path = join(server.base, 'output', 'weft_00001_.png')
  const texts = await pngTexts(await readFile(path))
  const graph = JSON.parse(texts.get('prompt') ?? '') as Record<string, { inputs: object }>
  expect(Object.values(graph).map(({ inputs }) => inputs)).toContainEqual(
    expect.objectContaining({ text: PROMPT }),
  )
  expect(JSON.parse(texts.get('workflow') ?? '')).toMatchObject({ version: 0.4 })

  await editor.describe('something else')
  await editor.openFile(path)
  await expect(editor.promptField()).toHaveValue(PROMPT)
})
