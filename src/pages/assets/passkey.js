// Makes and uses passkeys: what a browser can only do by script. A form marked data-passkey asks the server for a
// challenge, hands it to the authenticator, and is then sent like any other form.

const { startAuthentication, startRegistration } = globalThis.SimpleWebAuthnBrowser

function say(form, text) {
  const place = form.querySelector('[data-said]')
  place.textContent = text
  place.hidden = text === ''
}

async function optionsFor(form) {
  const fields = new FormData(form)
  const answer = await fetch(form.dataset.options, {
    method: 'POST',
    body: new URLSearchParams([...fields].filter(([, value]) => typeof value === 'string')),
    headers: { accept: 'application/json' },
  })
  if (!answer.ok) throw new Error(form.dataset.failed)
  const body = await answer.json()
  if (body.options === undefined) throw new Error(body.message ?? form.dataset.failed)
  return body.options
}

async function run(form) {
  say(form, '')
  const button = form.querySelector('button')
  button.disabled = true
  try {
    const optionsJSON = await optionsFor(form)
    const start = form.dataset.passkey === 'create' ? startRegistration : startAuthentication
    form.elements.namedItem('answer').value = JSON.stringify(await start({ optionsJSON }))
    HTMLFormElement.prototype.submit.call(form)
  } catch (error) {
    const isOurs = error instanceof Error && error.name === 'Error'
    say(form, isOurs && error.message !== '' ? error.message : form.dataset.failed)
    button.disabled = false
  }
}

for (const form of document.querySelectorAll('form[data-passkey]')) {
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    run(form)
  })
}
