import { createHash } from 'node:crypto'
import type Provider from 'oidc-provider'
import type { DeviceCode } from 'oidc-provider'
import type { Broker } from '../broker/broker.ts'
import { type ClientView, clientView } from './client-view.ts'
import { type Asking, askedOf, type Connected, type ConnectView, connect } from './connecting.ts'
import { askedDetails } from './granted-details.ts'

/** A program without a browser that waits for its user (RFC 8628). */
export type DeviceView = Pick<ConnectView, 'client' | 'scopes' | 'skills'>

/** The person's side of the device flow. Whoever knows the code on a device's screen may answer it, once. */
export type Devices = {
  find(userCode: string): Promise<DeviceView | undefined>
  accept(userCode: string, userId: string, replaces: string | undefined): Promise<Connected | undefined>
  /** @returns whether there was anything to say no to. */
  refuse(userCode: string): Promise<boolean>
}

export function createDevices(broker: Broker, provider: Provider): Devices {
  async function load(typed: string): Promise<{ code: DeviceCode; asking: Asking } | undefined> {
    const userCode = normalUserCode(typed)
    const code = userCode === undefined ? undefined : await provider.DeviceCode.findByUserCode(userCode)
    if (!code || code.isExpired || code.error !== undefined || code.accountId !== undefined) return undefined
    const client = await provider.Client.find(String(code.clientId)).catch(() => undefined)
    if (!client) return undefined
    return {
      code,
      asking: { client: deviceClient(clientView(client, undefined)), params: code.params ?? {} },
    }
  }

  return {
    async find(userCode) {
      const found = await load(userCode)
      return found && askedOf(found.asking)
    },
    async accept(userCode, userId, replaces) {
      const found = await load(userCode)
      if (!found) return undefined
      const { code, asking } = found
      const familyId = createHash('sha256')
        .update(`countersign/v1/token-family\ndevice\n${code.jti}`)
        .digest('base64url')
      const connected = await connect(broker, provider, asking, { userId, familyId, replaces })
      if (connected.kind !== 'connected') return connected
      const { params } = asking
      code.accountId = userId
      code.grantId = familyId
      code.scope = String(params.scope ?? '')
      code.authTime = Math.floor(broker.store.now().nowMs / 1000)
      if (typeof params.resource === 'string') code.resource = params.resource
      else if (Array.isArray(params.resource)) code.resource = params.resource.map(String)
      if (connected.requestIds.length > 0) code.rar = askedDetails(connected.requestIds)
      await code.save()
      return connected
    },
    async refuse(userCode) {
      const found = await load(userCode)
      if (!found) return false
      found.code.error = 'access_denied'
      found.code.errorDescription = 'the person said no to this connection'
      await found.code.save()
      return true
    },
  }
}

/** How people type a code: any case, with or without the dash. Undefined for what can be no code. */
export function normalUserCode(typed: string): string | undefined {
  const code = typed.toUpperCase().replace(/[\s-]/g, '')
  return /^[BCDFGHJKLMNPQRSTVWXZ]{8}$/.test(code) ? code : undefined
}

/** Nothing is known of where a device is: its redirect is none. */
function deviceClient(view: ClientView): ClientView {
  return { ...view, isLoopback: false }
}
