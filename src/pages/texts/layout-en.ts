/** Words every page shows. */
export const LAYOUT_EN = {
  product: 'Countersign',
  skipToContent: 'Skip to content',
  navigation: 'Pages',
  inbox: 'Inbox',
  authority: 'My authority',
  activity: 'Activity',
  limits: 'Limits',
  security: 'Security',
  operator: 'Operations',
  people: 'People',
  signOut: 'Sign out',
  language: 'Language',
  footer:
    'Nothing an agent does reaches a skill without your grant, a budget that covers it and a log entry that proves it.',
  notFoundTitle: 'There is nothing here for you',
  notFoundText:
    'This page does not exist, or it belongs to somebody else. If a link brought you here, sign in as the person it was made for.',
  formStaleTitle: 'This form is out of date',
  formStaleText:
    'Nothing was changed. The form was opened in another session or sent from another site. Open the page again and repeat what you wanted.',
  rateTitle: 'Too many requests',
  rateText: 'Wait a moment, then load the page again.',
  stoppingTitle: 'The service is restarting',
  stoppingText: 'Try again in a few seconds. Nothing was changed.',
  failedTitle: 'Something went wrong on our side',
  failedText:
    'Nothing was confirmed to you, so look under Activity whether it happened before you try again.',
  badInputTitle: 'This could not be understood',
  badInputText: 'Nothing was changed. Go back and try again.',
  requestId: (id: string) => `Reference for support: ${id}`,
  tryAgain: 'Open the page again',
  home: 'To the start page',
}

export type LayoutTexts = typeof LAYOUT_EN
