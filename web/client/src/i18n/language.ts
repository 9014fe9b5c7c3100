/** Which languages there are, and which of them is drawn. */

export const LANGUAGES = { en: 'English', ko: '한국어' } as const

export type Language = keyof typeof LANGUAGES
export type LanguageChoice = Language | 'auto'

export const LANGUAGE_KEY = 'weft.language'

function isLanguage(text: string | null): text is Language {
  return text !== null && text in LANGUAGES
}

/** The remembered choice; `auto` takes the browser's. */
export function chosenLanguage(storage: Pick<Storage, 'getItem'>): LanguageChoice {
  const stored = storage.getItem(LANGUAGE_KEY)
  return isLanguage(stored) ? stored : 'auto'
}

/** The first of the browser's languages that there is, unless one was chosen; else English. */
export function drawnLanguage(choice: LanguageChoice, preferred: readonly string[]): Language {
  if (choice !== 'auto') return choice
  return preferred.map((tag) => tag.slice(0, 2).toLowerCase()).find(isLanguage) ?? 'en'
}
