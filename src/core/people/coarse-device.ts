/** Order matters: most browsers claim to be others as well. */
const BROWSERS: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/countersign-cli/, 'Countersign CLI'],
  [/MicroMessenger\//, 'WeChat'],
  [/Edg(?:A|iOS)?\//, 'Edge'],
  [/OPR\//, 'Opera'],
  [/SamsungBrowser\//, 'Samsung Internet'],
  [/Firefox\/|FxiOS\//, 'Firefox'],
  [/Chrome\/|CriOS\/|Chromium\//, 'Chrome'],
  [/Safari\//, 'Safari'],
]

const SYSTEMS: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/OpenHarmony|HarmonyOS/, 'HarmonyOS'],
  [/Android/, 'Android'],
  [/iPhone|iPad|iPod/, 'iOS'],
  [/Windows/i, 'Windows'],
  [/Mac OS X|Macintosh|darwin/, 'macOS'],
  [/CrOS/, 'ChromeOS'],
  [/Linux|linux/, 'Linux'],
]

/**
 * Browser family and system of a user agent, such as `Firefox · Linux`: enough to know one's own sessions apart, not
 * enough to know a person again. Nothing of the text itself is in it; empty where neither is known.
 */
export function coarseDevice(userAgent: string): string {
  const nameIn = (list: typeof BROWSERS) => list.find(([pattern]) => pattern.test(userAgent))?.[1]
  return [nameIn(BROWSERS), nameIn(SYSTEMS)].filter((name) => name !== undefined).join(' · ')
}
