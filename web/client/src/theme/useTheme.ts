import { useComputedColorScheme, useMantineColorScheme } from '@mantine/core'

/** The chosen theme (`auto` follows the system), the one that is drawn, and how to change it. */
export function useTheme() {
  const { colorScheme: choice, setColorScheme: choose } = useMantineColorScheme()
  const drawn = useComputedColorScheme('dark', { getInitialValueInEffect: false })
  const toggle = () => choose(drawn === 'dark' ? 'light' : 'dark')
  return { choice, drawn, choose, toggle }
}
