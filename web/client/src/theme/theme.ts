/** Mantine's theme, made of the design tokens: its components look like the rest of the editor. */

import {
  createTheme,
  localStorageColorSchemeManager,
  type CSSVariablesResolver,
  type MantineColorsTuple,
} from '@mantine/core'

/** Ten shades around the accent; filled controls use the sixth in light and the seventh in dark. */
const accent: MantineColorsTuple = [
  '#eef2ff',
  '#dce3ff',
  '#bac7ff',
  '#96a9ff',
  '#7690ff',
  '#4b6bf0',
  '#3f5fe0',
  '#3552cc',
  '#2c45ad',
  '#22378c',
]

/** Mantine's neutral shades, light to dark, in the hue of the editor's surfaces. */
const gray: MantineColorsTuple = [
  '#f6f7f9',
  '#f1f2f4',
  '#e1e3e8',
  '#d5d8de',
  '#c6cad2',
  '#9ba1ad',
  '#646a76',
  '#4b505b',
  '#33373f',
  '#1c1e24',
]

/** The same for the dark theme: text, lines, surfaces. */
const dark: MantineColorsTuple = [
  '#e7e8eb',
  '#b0b4bd',
  '#9297a3',
  '#6f747f',
  '#41444d',
  '#353840',
  '#26282e',
  '#1b1c20',
  '#17181c',
  '#141518',
]

export const theme = createTheme({
  colors: { accent, gray, dark },
  primaryColor: 'accent',
  primaryShade: { light: 6, dark: 5 },
  fontFamily: 'var(--font)',
  fontFamilyMonospace: 'var(--font-mono)',
  fontSizes: {
    xs: 'var(--text-xs)',
    sm: 'var(--text-sm)',
    md: 'var(--text-md)',
    lg: 'var(--text-lg)',
    xl: 'var(--text-xl)',
  },
  headings: { fontFamily: 'var(--font)', fontWeight: '620' },
  radius: { xs: '3px', sm: '4px', md: '6px', lg: '9px', xl: '12px' },
  defaultRadius: 'md',
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    Tooltip: { defaultProps: { openDelay: 450, withArrow: false, fz: 'sm', color: 'dark' } },
    Menu: { defaultProps: { shadow: 'md', radius: 'lg', position: 'bottom-end' } },
    Modal: {
      defaultProps: {
        radius: 'xl',
        centered: true,
        overlayProps: { color: 'var(--surface-scrim)', backgroundOpacity: 1 },
      },
      styles: { title: { fontSize: 'var(--text-lg)', fontWeight: 'var(--weight-bold)' } },
    },
    Notification: {
      styles: {
        root: { border: '1px solid var(--line)', boxShadow: 'var(--shadow-raised)' },
        description: { color: 'var(--text-dim)' },
      },
    },
    ActionIcon: { defaultProps: { variant: 'subtle', color: 'gray', size: 30 } },
    Button: { defaultProps: { size: 'xs' } },
    Select: { defaultProps: { size: 'xs', allowDeselect: false } },
    TextInput: { defaultProps: { size: 'xs' } },
    NumberInput: { defaultProps: { size: 'xs' } },
  },
})

/** Mantine's own variables, pointed at the tokens; both themes take the same, which then differ. */
export const resolveVariables: CSSVariablesResolver = () => {
  const tokens = {
    '--mantine-color-body': 'var(--surface-raised)',
    '--mantine-color-text': 'var(--text)',
    '--mantine-color-bright': 'var(--text)',
    '--mantine-color-dimmed': 'var(--text-dim)',
    '--mantine-color-placeholder': 'var(--text-faint)',
    '--mantine-color-anchor': 'var(--accent-text)',
    '--mantine-color-error': 'var(--danger-text)',
    '--mantine-color-default': 'var(--surface-field)',
    '--mantine-color-default-hover': 'var(--surface-hover)',
    '--mantine-color-default-color': 'var(--text)',
    '--mantine-color-default-border': 'var(--line-strong)',
    '--mantine-color-disabled': 'var(--surface-hover)',
    '--mantine-color-disabled-color': 'var(--text-faint)',
    '--mantine-color-disabled-border': 'var(--line)',
    '--mantine-color-accent-light': 'var(--accent-soft)',
    '--mantine-color-accent-light-hover': 'var(--accent-soft)',
    '--mantine-color-accent-light-color': 'var(--accent-text)',
    '--mantine-color-gray-light-color': 'var(--text-dim)',
    '--mantine-color-gray-light-hover': 'var(--surface-hover)',
    '--mantine-shadow-md': 'var(--shadow-raised)',
    '--mantine-shadow-xl': 'var(--shadow-raised)',
  }
  return { variables: { '--mantine-line-height': '1.45' }, dark: tokens, light: tokens }
}

/** Remembers the chosen theme in this browser. */
export const schemeManager = localStorageColorSchemeManager({ key: 'weft.theme' })
