import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'

import { App } from './app/App'
import { startTranslation } from './i18n/setup'
import { Themed } from './theme/Themed'

const root = document.getElementById('root')
if (!root) throw new Error('index.html has no #root element')
startTranslation()
createRoot(root).render(
  <StrictMode>
    <Themed>
      <App />
    </Themed>
  </StrictMode>,
)
