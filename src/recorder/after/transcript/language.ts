/** Language tags (BCP 47) as others want them. */

/** Whether it is a tag at all. */
export function isLanguageTag(tag: string): boolean {
  try {
    return Intl.getCanonicalLocales(tag).length === 1;
  } catch {
    return false;
  }
}

/** With the region where it is most spoken, as AWS and Google ask for it: `en` becomes `en-US`. */
export function withRegion(tag: string): string {
  const { language, region } = new Intl.Locale(tag).maximize();
  return `${language}-${region}`;
}

/** The three letters of ISO 639-2/T that MP4 has room for, of the languages that are transcribed most. */
const THREE_LETTERS: Readonly<Record<string, string>> = {
  ...{
    ar: 'ara',
    cs: 'ces',
    da: 'dan',
    de: 'deu',
    el: 'ell',
    en: 'eng',
    es: 'spa',
    fa: 'fas',
    fi: 'fin',
    fr: 'fra',
  },
  ...{
    he: 'heb',
    hi: 'hin',
    hu: 'hun',
    id: 'ind',
    it: 'ita',
    ja: 'jpn',
    ko: 'kor',
    nb: 'nob',
    nl: 'nld',
    pl: 'pol',
  },
  ...{
    pt: 'por',
    ro: 'ron',
    ru: 'rus',
    sv: 'swe',
    ta: 'tam',
    th: 'tha',
    tr: 'tur',
    uk: 'ukr',
    vi: 'vie',
    zh: 'zho',
  },
};

/** `undefined` for a language that is not in the list: players then show the track as of an unknown one. */
export function threeLetters(tag: string): string | undefined {
  return THREE_LETTERS[new Intl.Locale(tag).language];
}
