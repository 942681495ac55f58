/** Reads a body as text up to a limit; undefined beyond it, or when it is not UTF-8. */
export async function boundedText(response: Response, bytesMost: number): Promise<string | undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let bytes = 0
  let text = ''
  if (response.body === null) return ''
  const reader = response.body.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return text + decoder.decode()
      bytes += value.byteLength
      if (bytes > bytesMost) return undefined
      text += decoder.decode(value, { stream: true })
    }
  } catch (error) {
    if (error instanceof TypeError && bytes > 0 && !isNetworkError(error)) return undefined
    throw error
  } finally {
    reader.cancel().catch(() => {})
  }
}

/** A decoder's fault has a code of its own; everything else that breaks a read is the network's. */
function isNetworkError(error: TypeError): boolean {
  return !('code' in error && error.code === 'ERR_ENCODING_INVALID_ENCODED_DATA')
}
