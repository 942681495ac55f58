/** Words of the pages on which people sign in and look after how they do. */
export const PEOPLE_EN = {
  needsScript:
    'A passkey is asked for by a script of this page. Allow scripts for this site, or use another browser.',
  passkeyFailed: 'That did not work. Try again, or use another passkey.',
  refused: 'That was not accepted. Try again.',

  signInTitle: 'Sign in',
  signInText: 'Your device asks for your fingerprint, face or screen lock. There is no password.',
  signInButton: 'Sign in with a passkey',
  signInProvider: 'Sign in with your organisation',
  noAccount: 'New here?',
  signUpButton: 'Create an account with a passkey',
  invitedOnly: 'Accounts are made by invitation. Ask the operators of this platform for a link.',
  lostPasskey: 'Lost your passkey? Use a recovery code',

  signOutTitle: 'Sign out',
  signOutText: 'This browser forgets who you are. Nothing else changes.',
  signOutButton: 'Sign out',

  enrolTitle: 'Make your passkey',
  enrolFirstOperator:
    'You are setting up this broker. The account you make now is the first operator: it can invite others, approve skills and stop anything.',
  enrolInvitation: (kind: string) =>
    `You were invited as ${kind === 'operator' ? 'an operator' : 'a user'}. Make a passkey on this device to go on.`,
  enrolRecovery:
    'The recovery code was right and is used up. All your sessions were ended and you were told on every channel. Make a new passkey now.',
  enrolOnce: 'This link works once.',
  enrolButton: 'Make a passkey',
  operatorName: 'Your name as an operator',
  operatorNameHint: 'In lower case, such as lin.wei. The log shows it beside everything you do.',
  operatorNameRefused: 'A name has 1 to 64 letters, digits, dots, dashes or underscores, in lower case.',
  passkeyName: 'A name for this passkey',
  passkeyNameHint: 'Only you see it, such as “my phone”.',
  linkVoid: 'This link is not good any more',
  linkVoidText: 'It was used, it is too old, or it is not complete. Ask for a new one.',

  codesTitle: 'Your recovery codes',
  codesText:
    'Each code lets you in once when you have lost every passkey. Write them down or print them, and keep them apart from your devices. They are not shown again.',
  codesDone: 'I have kept them',
  madeTitle: 'Your passkey is ready',
  madeText: 'Your remaining recovery codes stay good.',
  goOn: 'Go on',

  recoverTitle: 'Recover your account',
  recoverText:
    'Enter one of the ten codes you were shown when you made your first passkey. All your sessions end, you are told on every channel, and for 24 hours nothing new can be allowed.',
  recoveryCode: 'Recovery code',
  recoverButton: 'Go on',
  recoverRefused: 'There is no such code, or it was used.',
  waitSeconds: (seconds: number) => `Too many wrong tries. Try again in ${seconds} s.`,

  stepUpTitle: 'Show that it is you',
  stepUpText:
    'What you are about to do takes a passkey used within the last five minutes, in this browser. Then you come back to where you were, and nothing has been done yet.',
  stepUpButton: 'Use a passkey',
  stepUpProvider: 'Sign in again with your organisation',
  cancel: 'Cancel',

  securityTitle: 'Security',
  securityIntro: 'What lets you in, where you are signed in, and when you are asked again.',
  readOnly: 'To change anything here, show first that it is you.',
  unlock: 'Use a passkey to make changes',
  passkeys: 'Passkeys',
  passkeyUnnamed: 'Without a name',
  created: 'Made',
  lastUsed: 'Last used',
  never: 'never',
  rename: 'Rename',
  remove: 'Remove',
  lastPasskey: 'Your last passkey cannot be removed. Make another one first.',
  recoveredRecently:
    'You came in by a recovery code within the last 24 hours. Passkeys from before, and anything wider, have to wait until then.',
  tooManyPasskeys: 'There are twenty passkeys already. Remove one first.',
  addPasskey: 'Add a passkey',
  noPasskeys: 'You sign in with your organisation, so there are none.',
  sessions: 'Where you are signed in',
  thisSession: 'this one',
  unknownDevice: 'Unknown device',
  terminal: 'terminal',
  since: 'Since',
  lastSeen: 'last seen',
  endSession: 'End',
  endOthers: 'End all others',
  endAll: 'End all, this one too',
  codesLeft: (count: number) =>
    count === 1 ? 'One recovery code is left.' : `${count} recovery codes are left.`,
  newCodes: 'Make new codes',
  newCodesText: 'The codes you have are good for nothing from then on.',
  thresholds: 'Approving without a passkey',
  thresholdsText:
    'Every approval that spends money asks for a passkey. Below an amount you set here it takes only your yes. Limits of grants and budgets hold all the same.',
  thresholdNone: 'Every amount asks for a passkey.',
  upTo: (amount: string) => `up to ${amount}`,
  currency: 'Currency',
  amount: 'Amount',
  amountHint: 'In that currency, such as 20.00. 0 asks for a passkey every time.',
  amountRefused: 'This is no amount in that currency.',
  setThreshold: 'Set',
  yourData: 'Your data',
  exportText: 'One file holds everything this broker keeps about you, with a receipt for each action.',
  exportButton: 'Download everything',
  erasureText:
    'You can have everything about you erased. It happens after 72 hours, and you can stop it until then. All agents and permissions are paused at once. Amounts, times and ids of what was done stay in the accounts, without a name; nobody can read the rest any more.',
  erasureSure: 'Erase everything about me in 72 hours',
  erasureButton: 'Have everything erased',
  erasureNotSure: 'Nothing was done. Tick the box if you mean it.',
  erasureUnderWay: 'The erasure has begun and cannot be stopped any more.',
  erasureDue: (due: string) =>
    `Everything about you is to be erased at ${due}. Until then nothing is permitted, and you can stop it.`,
  erasureWaitsIncident: 'It waits until an open incident is closed.',
  erasureWaitsHold: 'It waits because the operators have to keep your data for now.',
  erasureCancel: 'Stop the erasure',

  terminalTitle: 'Let a terminal act for you',
  terminalText: 'Compare the code with the one your terminal shows. Never enter a code somebody sent you.',
  terminalCode: 'Code',
  terminalLook: 'Go on',
  terminalWhat: (hours: number) =>
    hours === 1
      ? 'Whoever holds that terminal can act as you for one hour; what takes a passkey, for five minutes.'
      : `Whoever holds that terminal can act as you, as an operator, for ${hours} hours.`,
  terminalAllow: 'Allow',
  terminalRefuse: 'Refuse',
  terminalUnknown: 'No terminal waits with this code.',
  terminalAllowed: 'Allowed. Go back to your terminal. You can end its session under Security at any time.',
  terminalRefused: 'Refused. The terminal got nothing.',

  peopleTitle: 'People',
  operators: 'Operators',
  ended: 'ended',
  endOperator: 'End this account',
  inviteUser: 'Invite a user',
  inviteUserHint: 'Leave it empty for somebody new, or give the id of a user who has no passkey yet.',
  userId: 'User id',
  theirName: 'Their name as an operator',
  inviteOperator: 'Invite an operator',
  inviteButton: 'Make a link',
  invitedTitle: 'The link',
  invitedText:
    'Give it to that person over a channel you trust. It is shown once, works once, and ends in three days.',
  alreadyEnrolled: 'This person has an account already.',
  nameRefused: 'This is no name of an operator and no id of a user.',
  terminalLink: 'Let a terminal act for you',
}

export type PeopleTexts = typeof PEOPLE_EN
