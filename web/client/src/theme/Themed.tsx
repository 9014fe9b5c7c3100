import '@mantine/core/styles.layer.css'
import '@mantine/notifications/styles.layer.css'
import './fonts.css'
import './tokens.css'
import './base.css'

import { MantineProvider } from '@mantine/core'
import { Notifications } from '@mantine/notifications'
import type { ReactNode } from 'react'

import { resolveVariables, schemeManager, theme } from './theme'

/** Everything below is drawn in the chosen theme, at first the system's. */
export function Themed({ children }: { children: ReactNode }) {
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={resolveVariables}
      colorSchemeManager={schemeManager}
      defaultColorScheme="auto"
    >
      {children}
      <Notifications position="bottom-right" limit={4} autoClose={6000} />
    </MantineProvider>
  )
}
