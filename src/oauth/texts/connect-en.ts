/** Words of the pages on which a person connects a program. */
export const CONNECT_EN = {
  title: 'Connect a program',
  lead: (name: string) => `A program that calls itself “${name}” asks to be connected to your account.`,
  leadNameless: 'A program that gives no name asks to be connected to your account.',
  claimed: 'The name is only what the program claims. Anybody can write any name.',
  published: (host: string) => `Its description is published by ${host}, so that domain stands behind it.`,
  loopback: (host: string) =>
    `The answer goes to a program on this computer (${host}). Countersign cannot tell which one: go on only if you have just started it yourself.`,
  goesTo: (host: string) => `The answer goes to ${host}.`,
  device: 'It runs on a device that has no browser. Countersign does not know where that device is.',
  deviceAsk:
    'Go on only if you see this code on a device in front of you, and you have just asked it to connect. Nobody else should ever send you a code.',
  noAuthority:
    'Connecting gives it no authority. It can see nothing of yours and do nothing until you give a consent, which is asked for separately.',
  goesOn: (day: string) =>
    `It proves to be the program you connected on ${day}. What you have given it goes on with this connection. This needs your passkey.`,
  logScope: 'It may also read the entries of the public log, which hold no personal data.',
  asksNext: 'It then asks for your consent for:',
  yes: 'Connect',
  no: 'Do not connect',
  moveTitle: 'Does it take the place of an older connection?',
  moveText:
    'If you choose one, its grants and the limits already used go on with the new connection, and the older one ends at once. This needs your passkey.',
  stepUpDone: 'Your passkey has confirmed that it is you. Nothing is connected until you answer here.',
  toAuthority: 'To My authority',
  moveNone: 'No, it starts with nothing',
  moveSince: (name: string, day: string) => `${name}, connected ${day}`,
  goneTitle: 'This connection request is over',
  goneText:
    'It has expired, was answered already, or was begun in another browser. Go back to the program and start again.',
  frozen: 'Nothing can be connected to your account at the moment. An operator has stopped it.',
  tooMany: 'You have as many connections as an account can hold. Disconnect one you no longer use.',
  moveRefused: 'That older connection cannot be continued. Choose another one, or none.',
  backTitle: 'Going back to the program',
  backText: 'Your answer is kept. You are taken back to the program.',
  backLink: 'Go back to the program',
  deviceTitle: 'Connect a device',
  deviceText: 'Type the code that the device shows.',
  code: 'Code',
  next: 'Next',
  unknownCode:
    'No device waits with this code. Look at it again; it is good for ten minutes and for one answer.',
  slowDown: 'Too many codes were tried. Wait a minute.',
  deviceDoneTitle: 'The device is connected',
  deviceDoneText:
    'You can go back to the device. It has no authority yet beyond what you have just consented to.',
  deviceRefusedTitle: 'The device is not connected',
  deviceRefusedText: 'Nothing was given to it.',
  errorTitle: 'The program’s request was refused',
  errorText:
    'The request that brought you here is not valid, so it was not answered. Nothing was changed. Tell the maker of the program:',
}

export type ConnectTexts = typeof CONNECT_EN
