/** Starts i18next with the language of the browser or the one chosen in the settings. */

import i18next from 'i18next'
import { initReactI18next } from 'react-i18next'

import { chosenLanguage, drawnLanguage, type LanguageChoice, LANGUAGE_KEY } from './language'
import { resources } from './resources'

/** Must have run before the first component draws. */
export function startTranslation(): void {
  void i18next.use(initReactI18next).init({
    resources,
    lng: drawnLanguage(chosenLanguage(localStorage), navigator.languages),
    fallbackLng: 'en',
    interpolation: { escapeValue: false },
    initAsync: false,
  })
  document.documentElement.lang = i18next.language
}

/** Draw in another language, and remember it in this browser. */
export async function chooseLanguage(choice: LanguageChoice): Promise<void> {
  localStorage.setItem(LANGUAGE_KEY, choice)
  await i18next.changeLanguage(drawnLanguage(choice, navigator.languages))
  document.documentElement.lang = i18next.language
}
