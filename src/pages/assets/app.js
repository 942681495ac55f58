// Makes pages that are complete without it live: countdowns, and lists that renew themselves when something came in.

const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
const LOOK_EVERY_MS = 5 * SECOND_MS

/** The server's clock counts: a browser's may be wrong. */
const drawnAtMs = performance.now()

function remaining(element) {
  const leftMs = Number(element.dataset.left) - (performance.now() - drawnAtMs)
  return Math.max(0, leftMs)
}

function spell(leftMs) {
  const format = (value, unit) =>
    new Intl.NumberFormat(document.documentElement.lang, { style: 'unit', unit, unitDisplay: 'long' }).format(
      value,
    )
  if (leftMs >= 2 * HOUR_MS) return format(Math.floor(leftMs / HOUR_MS), 'hour')
  if (leftMs >= 2 * MINUTE_MS) return format(Math.floor(leftMs / MINUTE_MS), 'minute')
  return format(Math.ceil(leftMs / SECOND_MS), 'second')
}

function tick() {
  for (const element of document.querySelectorAll('[data-left]')) {
    const leftMs = remaining(element)
    element.textContent = spell(leftMs)
    if (leftMs > 0) continue
    element.removeAttribute('data-left')
    // What has expired can no longer be answered, and the page that says so is the server's.
    if (element.dataset.then === 'reload') location.reload()
  }
}

/** Loads the page again once its state is no longer the one it was drawn from; never while somebody fills in a form. */
async function look() {
  const { live } = document.body.querySelector('[data-live]')?.dataset ?? {}
  if (live === undefined || document.hidden) return
  const { state } = document.body.querySelector('[data-live]').dataset
  try {
    const answer = await fetch(live, { headers: { accept: 'application/json' } })
    if (!answer.ok) return
    const now = await answer.json()
    if (now.state !== state) location.reload()
  } catch {
    // Offline for a moment: the next look tells.
  }
}

function showSpread() {
  for (const picker of document.querySelectorAll('[data-toggles]')) {
    const target = document.getElementById(picker.dataset.toggles)
    const apply = () => {
      target.hidden = picker.value !== picker.dataset.when
    }
    picker.addEventListener('change', apply)
    apply()
  }
}

/** A form is sent once, however often its button is pressed. */
function sendOnce() {
  for (const form of document.querySelectorAll('form[method="post"]')) {
    form.addEventListener('submit', (event) => {
      if (form.dataset.sent === 'yes') event.preventDefault()
      form.dataset.sent = 'yes'
    })
  }
  // Coming back by the browser's history must not leave a dead form behind.
  addEventListener('pageshow', () => {
    for (const form of document.querySelectorAll('form[data-sent]')) delete form.dataset.sent
  })
}

if (document.querySelector('[data-left]')) setInterval(tick, SECOND_MS)
if (document.querySelector('[data-left]')) tick()
if (document.querySelector('[data-live]')) setInterval(look, LOOK_EVERY_MS)
showSpread()
sendOnce()
document.querySelector('[data-focus]')?.focus()
