/** What a user does in the editor, as a small language for tests. */

import { expect, type Locator, type Page } from '@playwright/test'

export class Editor {
  readonly page: Page

  constructor(page: Page) {
    this.page = page
  }

  /** Open the page and wait until the first workflow is drawn with its fields. */
  async open(url: string): Promise<void> {
    await this.page.goto(url)
    await expect(this.promptField()).toBeVisible({ timeout: 120_000 })
  }

  /** The node with that title. */
  node(title: string): Locator {
    const heading = this.page.getByRole('heading', { name: title, exact: true })
    return this.page.locator('.react-flow__node').filter({ has: heading })
  }

  promptField(): Locator {
    return this.node('Prompt').getByRole('textbox')
  }

  /** Write another prompt. */
  async describe(prompt: string): Promise<void> {
    await this.promptField().fill(prompt)
  }

  async queue(): Promise<void> {
    await this.page.getByRole('button', { name: 'Queue', exact: true }).click()
  }

  /** The picture that a node shows. */
  pictureOf(title: string): Locator {
    return this.node(title).getByRole('img', { name: /^Picture \d/ })
  }

  /** Open a file as the menu does. */
  async openFile(path: string): Promise<void> {
    const chosen = this.page.waitForEvent('filechooser')
    await this.page.keyboard.press('Control+o')
    await (await chosen).setFiles(path)
  }
}
