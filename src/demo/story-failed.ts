/** Something did not go as the story says; the message tells a reader what. */
export class StoryFailed extends Error {
  override name = 'StoryFailed'
}

/** @throws StoryFailed when what the story tells is not so. */
export function mustHold(isSo: boolean, otherwise: string): asserts isSo {
  if (!isSo) throw new StoryFailed(otherwise)
}
