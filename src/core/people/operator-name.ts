/** Whether a text can name an operator, in leaves and tokens alike. */
export function isOperatorName(text: string): boolean {
  return /^[a-z0-9][a-z0-9._@-]{0,63}$/.test(text)
}
