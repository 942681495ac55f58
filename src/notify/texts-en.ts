import type { MessageKind } from '../ports/messenger.ts'

export type MessageText = { readonly title: string; readonly body: string }

/** What a message says: that something is there, and nothing of what it is about. */
export const MESSAGES_EN: Readonly<Record<MessageKind, MessageText>> = {
  approval_waiting: {
    title: 'An agent waits for your answer',
    body: 'It may not go on until you say yes or no. Sign in to see exactly what it wants to do.',
  },
  consent_waiting: {
    title: 'An agent asks for your permission',
    body: 'Nothing is allowed until you answer. Sign in to see what it asks for.',
  },
  recovered: {
    title: 'Your account was recovered',
    body: 'A recovery code was used, and every session was ended. If that was not you, tell your platform at once.',
  },
  security_changed: {
    title: 'How you sign in was changed',
    body: 'If that was not you, sign in and look at your security page at once.',
  },
  agent_connected: {
    title: 'An agent was connected',
    body: 'Connecting gives it no permission to do anything. If that was not you, disconnect it.',
  },
  connection_moved: {
    title: 'A connection took the place of another',
    body: 'It now holds the permissions of the older one. If that was not you, disconnect it at once.',
  },
  grant_expires_unused: {
    title: 'A permission nobody uses is about to end',
    body: 'It ends by itself soon. Use it or change it if you want to keep it.',
  },
  grant_expired_unused: {
    title: 'A permission nobody used has ended',
    body: 'Nothing can be done with it any more.',
  },
  incident: {
    title: 'Something needs your attention',
    body: 'Sign in to see what was stopped, and what happens next.',
  },
  account_linked: {
    title: 'An account was linked',
    body: 'If that was not you, sign in and unlink it at once.',
  },
  account_unlinked: { title: 'An account was unlinked', body: 'What was kept to use it was destroyed.' },
  erasure_scheduled: {
    title: 'Your data is to be erased',
    body: 'Until then you can sign in and stop it. Nothing is permitted meanwhile.',
  },
  erasure_cancelled: { title: 'The erasure was stopped', body: 'Your data stays.' },
  erased: {
    title: 'Your data was erased',
    body: 'Nobody can read it any more, and this address is forgotten now too.',
  },
  export_ready: { title: 'Your data is ready', body: 'Sign in to fetch it.' },
}

export const MAIL_EN = {
  several: (count: number) => `${count} questions wait.`,
  open: 'Open (you have to be signed in):',
  footer: 'This message holds no details on purpose. No link in it does anything by itself.',
  codeTitle: 'Your confirmation code',
  codeBody: (code: string) =>
    `Your code is ${code}. It is good for 15 minutes. If you did not ask for it, do nothing.`,
  greetTitle: 'Notifications are on',
  greetBody: 'You will be told here when an agent waits for you.',
}

export type MailWords = typeof MAIL_EN
