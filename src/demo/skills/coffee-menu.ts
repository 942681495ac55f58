export interface MenuItem {
  readonly sku: string
  readonly name: string
  /** In fen. */
  readonly unitPriceMinor: number
  readonly choices: readonly string[]
}

export interface Store {
  readonly storeId: string
  readonly name: string
  /** Thousandths of a degree. */
  readonly latE3: number
  readonly lngE3: number
  readonly isOpen: boolean
}

export const STORES: readonly Store[] = [
  { storeId: 'HZ-01', name: 'Lakeside Coffee, North Gate', latE3: 30_259, lngE3: 120_131, isOpen: true },
  { storeId: 'HZ-02', name: 'Lakeside Coffee, Station', latE3: 30_246, lngE3: 120_183, isOpen: true },
  { storeId: 'HZ-03', name: 'Lakeside Coffee, Tea Hill', latE3: 30_226, lngE3: 120_118, isOpen: false },
]

const SIZES = ['size: regular', 'size: large']

export const MENU: readonly MenuItem[] = [
  { sku: 'latte', name: 'Latte', unitPriceMinor: 1_690, choices: [...SIZES, 'ice: none', 'ice: less'] },
  { sku: 'americano', name: 'Americano', unitPriceMinor: 1_490, choices: SIZES },
  { sku: 'oat-latte', name: 'Oat latte', unitPriceMinor: 2_190, choices: SIZES },
  { sku: 'lunch-box', name: 'Lunch box with a drink', unitPriceMinor: 4_800, choices: [] },
  { sku: 'beans-250g', name: 'House blend, 250 g', unitPriceMinor: 8_800, choices: [] },
]

const LARGE_EXTRA_MINOR = 300

export interface BasketLine {
  readonly sku: string
  readonly quantity: number
  readonly options?: Readonly<Record<string, string>> | undefined
}

/** What a basket costs in fen, or undefined when it holds something that is not on the menu. */
export function priceOf(lines: readonly BasketLine[]): number | undefined {
  let totalMinor = 0
  for (const { sku, quantity, options } of lines) {
    const item = MENU.find((candidate) => candidate.sku === sku)
    if (!item) return undefined
    const isLarge = options?.size === 'large'
    totalMinor += (item.unitPriceMinor + (isLarge ? LARGE_EXTRA_MINOR : 0)) * quantity
  }
  return totalMinor
}

/** Rough distance in metres: good enough to sort stores of one town. */
export function distanceMeters(store: Store, latE3: number, lngE3: number): number {
  const north = (store.latE3 - latE3) * 111.2
  const east = (store.lngE3 - lngE3) * 111.2 * Math.cos((latE3 / 1000) * (Math.PI / 180))
  return Math.round(Math.hypot(north, east))
}
