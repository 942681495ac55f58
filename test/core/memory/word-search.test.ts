import { describe, expect, it } from 'vitest'
import { scoreText, wordQuery } from '../../../src/core/memory/word-search.ts'

const score = (words: string, text: string) => scoreText(wordQuery(words), text)

describe('looking for words', () => {
  it.each([
    ['a word', 'latte', 'Oat latte, no sugar'],
    ['any case', 'LATTE', 'oat Latte'],
    ['the beginning of a word', 'lat', 'oat latte'],
    ['all words, in any order', 'sugar oat', 'Oat latte, no sugar'],
    ['full-width letters', 'ＬＡＴＴＥ', 'oat latte'],
    ['ligatures', 'office', 'o\ufb03ce hours'],
    ['the German sharp s', 'STRASSE', 'Die Straße 5'],
    ['Chinese inside a sentence', '拿铁', '我喜欢燕麦拿铁，不加糖'],
    ['one Chinese character', '糖', '我喜欢燕麦拿铁，不加糖'],
    ['Chinese and Latin together', '拿铁 oat', '拿铁 with oat milk'],
    ['a run of both', 'oat拿铁', '拿铁，oat milk'],
    ['Chinese words with others between their pairs', '燕麦拿', '燕麦拿铁'],
    ['Latin right after Chinese', 'latte', '一杯latte'],
    ['Japanese', 'コーヒー', '朝はコーヒーを飲む'],
    ['half-width kana', 'ｺｰﾋｰ', 'コーヒー'],
    ['numbers', '42', 'room 42'],
  ])('finds %s', (_, words, text) => {
    expect(score(words, text)).toBeGreaterThan(0)
  })

  it.each([
    ['the middle of a word', 'art', 'a party'],
    ['one word of two', 'oat cocoa', 'Oat latte'],
    ['characters in another order', '铁拿', '燕麦拿铁'],
    ['nothing but punctuation', '…?!', 'what …?!'],
    ['no words', '', 'anything'],
  ])('does not find %s', (_, words, text) => {
    expect(score(words, text)).toBe(0)
  })

  it('ranks by how often the words are there', () => {
    expect(score('oat', 'oat, oat and oat')).toBeGreaterThan(score('oat', 'oat'))
  })

  it('takes time linear in the text, whatever it is made of', () => {
    const text = 'a'.repeat(200_000)
    const began = performance.now()
    score('aa', text)
    score('拿铁咖', '拿'.repeat(200_000))
    expect(performance.now() - began).toBeLessThan(2_000)
  })
})
