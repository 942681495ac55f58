/** Words of turning one question into a permission with limits. */
export const ALWAYS_EN = {
  title: 'Allow the like from now on',
  intro: (agent: string, action: string) =>
    `You make a new permission for ${agent}, for ${action} alone. It stands beside what you allowed before. After it, this is no longer asked, as long as every limit below holds.`,
  sameTitle: 'Must be the same as now',
  sameHint: 'What you untick may be anything the next time.',
  fixed: 'always',
  atMost: (value: string) => `${value} at most`,
  times: 'How many times in a day',
  dayLimit: 'How much in a day, at most',
  days: 'For how long',
  review: 'Read what this allows',
  reviewTitle: 'This is what you would allow',
  allow: 'Allow',
  back: 'Back',
  notOffered: 'This cannot be allowed in advance. It has to be asked each time.',
  invalid: 'Enter whole numbers from 1 on, and an amount with no more decimals than the currency has.',
  shownDiffers: 'Something has changed meanwhile. Read it again, then choose.',
  recovered: 'You recovered your account a short while ago. For a day nothing wider can be allowed.',
  stepUpNote: 'Allowing this takes your passkey or security key.',
}

export type AlwaysTexts = typeof ALWAYS_EN
