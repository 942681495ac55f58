/** Hours an operator may look back over when having things undone. */
export const UNDO_HOURS = ['1', '6', '24', '72', '720'] as const
