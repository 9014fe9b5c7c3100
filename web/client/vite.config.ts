import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

const server = process.env.WEFT_SERVER ?? 'http://127.0.0.1:8188'

export default defineConfig({
  base: './',
  plugins: [react()],
  build: {
    outDir: '../static',
    emptyOutDir: true,
    target: 'es2022',
    license: { fileName: 'licenses.txt' },
    chunkSizeWarningLimit: 1500,
  },
  server: {
    proxy: {
      '/api': { target: server, changeOrigin: true },
      '/ws': { target: server, changeOrigin: true, ws: true },
    },
  },
  test: { include: ['src/**/*.test.{ts,tsx}'], environment: 'node' },
})
