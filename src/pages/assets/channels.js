// Subscribes this browser to Web Push and posts what it gives us; nothing else needs it.

const form = document.querySelector('form[data-push-key]')
if (form && 'serviceWorker' in navigator && 'PushManager' in window) {
  form.hidden = false
  form.addEventListener('submit', async (event) => {
    if (form.elements.subscription.value !== '') return
    event.preventDefault()
    const worker = await navigator.serviceWorker.register('/push-worker.js', { scope: '/push-worker/' })
    if (worker.installing)
      await new Promise((done) => worker.installing.addEventListener('statechange', done))
    const subscription = await worker.pushManager.subscribe({
      userVisibleOnly: true,
      applicationServerKey: form.dataset.pushKey,
    })
    form.elements.subscription.value = JSON.stringify(subscription)
    form.requestSubmit()
  })
}
