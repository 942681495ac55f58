/**
 * Stands in place of a payment where a restored store cannot know whether a debt was paid after the backup: it is not
 * paid a second time until an operator says that nothing was.
 */
export const FORGOTTEN_PAYMENT = 'forgotten'
