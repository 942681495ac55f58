/** Headers of every page: nothing inline, nothing foreign, no frame, no cache, no referrer, no device. */
export function pageHeaders(
  formActions: readonly string[],
  isSecure: boolean,
): Readonly<Record<string, string>> {
  return {
    'content-security-policy': [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "img-src 'self' data:",
      "connect-src 'self'",
      `form-action ${["'self'", ...formActions].join(' ')}`,
      "frame-ancestors 'none'",
      "base-uri 'none'",
      'report-uri /csp-report',
    ].join('; '),
    'x-frame-options': 'DENY',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'permissions-policy':
      'camera=(), microphone=(), geolocation=(), payment=(), usb=(), serial=(), display-capture=(), publickey-credentials-get=(self), publickey-credentials-create=(self)',
    'cache-control': 'no-store',
    vary: 'cookie, accept-language',
    ...(isSecure ? { 'strict-transport-security': 'max-age=31536000' } : {}),
  }
}
