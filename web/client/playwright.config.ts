import { defineConfig } from '@playwright/test'

/** The browser is Debian's Chromium, so that nothing is downloaded. */
export default defineConfig({
  testDir: 'e2e',
  timeout: 300_000,
  expect: { timeout: 20_000 },
  workers: 1,
  reporter: 'list',
  outputDir: 'test-results',
  use: {
    browserName: 'chromium',
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: ['--no-sandbox'],
    },
    locale: 'en-US',
    viewport: { width: 1440, height: 860 },
    trace: 'retain-on-failure',
  },
})
