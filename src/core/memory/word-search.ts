/** Scripts written without spaces: their words are looked for anywhere in a text. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u
const PART_OF_WORD = /[\p{L}\p{N}\p{M}]/u
const WORDS = /[\p{L}\p{N}\p{M}]+/gu
const RUNS =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}ー々]+|[^\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}ー々]+/gu

/** What a text is looked for by; made once for a search. */
export type WordQuery = readonly { readonly text: string; readonly isUnspaced: boolean }[]

/** Brings a text into the form in which two spellings of the same words are equal: NFKC, without case. */
export function foldText(text: string): string {
  // Upper case first: "ß" and "SS" are the same word then.
  return text.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC')
}

/** The words of a query. Punctuation parts them; a run of Han or kana is one of its own. */
export function wordQuery(query: string): WordQuery {
  const words = new Set<string>()
  for (const [word] of foldText(query).matchAll(WORDS)) {
    for (const [run] of word.matchAll(RUNS)) words.add(run)
  }
  return [...words].map((text) => ({ text, isUnspaced: UNSPACED.test(text) }))
}

/**
 * How well a text answers a query: 0 unless every word of it is there, otherwise how often its words are. A word stands
 * at the beginning of a word of the text, or anywhere where a script has no spaces.
 */
export function scoreText(query: WordQuery, text: string): number {
  if (query.length === 0) return 0
  const folded = foldText(text)
  let total = 0
  for (const word of query) {
    const count = word.isUnspaced ? timesIn(folded, word.text) : beginningsIn(folded, word.text)
    if (count === 0) return 0
    total += count
  }
  return total
}

/** Where a longer run is not there as it stands, all its pairs of characters are enough. */
function timesIn(text: string, run: string): number {
  const times = text.split(run).length - 1
  if (times > 0) return times * 2
  const characters = [...run]
  if (characters.length < 3) return 0
  for (let at = 0; at + 1 < characters.length; at += 1) {
    if (!text.includes(`${characters[at]}${characters[at + 1]}`)) return 0
  }
  return 1
}

function beginningsIn(text: string, word: string): number {
  let times = 0
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + word.length)) {
    const before = characterBefore(text, at)
    if (!PART_OF_WORD.test(before) || UNSPACED.test(before)) times += 1
  }
  return times
}

function characterBefore(text: string, at: number): string {
  const isPair = /[\udc00-\udfff]/.test(text[at - 1] ?? '')
  return text.slice(Math.max(0, at - (isPair ? 2 : 1)), at)
}
