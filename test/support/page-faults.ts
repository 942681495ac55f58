/**
 * What must not be on any page: anything that runs or styles inline, and forms without their token. Looks at the text
 * as a browser's parser takes it apart, tag by tag.
 */
export function pageFaults(page: string): string[] {
  const faults: string[] = []
  for (const [tag, name = '', attributes = ''] of page.matchAll(
    /<([a-z][a-z0-9-]*)((?:"[^"]*"|'[^']*'|[^'">])*)>/gi,
  )) {
    const lower = name.toLowerCase()
    if (lower === 'script' && !/\ssrc="\/assets\//.test(attributes)) faults.push(tag)
    if (['style', 'iframe', 'object', 'embed', 'base', 'svg', 'math', 'template'].includes(lower))
      faults.push(tag)
    const outside = attributes.replace(/="[^"]*"/g, '=""')
    if (/\son[a-z]+\s*=/i.test(outside)) faults.push(tag)
    if (/\sstyle\s*=/i.test(outside)) faults.push(tag)
    if (/(?:href|src|action|formaction)="\s*(?:javascript|data|vbscript):/i.test(attributes)) faults.push(tag)
    if (lower === 'a' && /href="(?!\/(?!\/)|#|\?)/.test(attributes)) faults.push(tag)
  }
  for (const [form] of page.matchAll(/<form[^>]*method="post"[\s\S]*?<\/form>/g)) {
    if (!form.includes('name="csrf"')) faults.push(form.slice(0, 80))
  }
  // Whatever reorders or hides text must stand there by number.
  for (const [odd] of page.matchAll(/\p{Bidi_Control}|[\u200b-\u200d\ufeff]/gu)) {
    faults.push(`U+${odd.codePointAt(0)?.toString(16)}`)
  }
  return faults
}
