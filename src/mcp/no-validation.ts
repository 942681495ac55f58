import type { ServerOptions } from '@modelcontextprotocol/server'

/**
 * What a user types into a form of ours would be validated by this; we ask for none, only for pages to be opened. The
 * library would make a compiler of schemas for each request otherwise.
 */
export const NO_VALIDATION: NonNullable<ServerOptions['jsonSchemaValidator']> = {
  getValidator: () => () => ({ valid: false, data: undefined, errorMessage: 'no form was asked for' }),
}
