import { describe, expect, it } from 'vitest'
import { freezeIdsFor } from '../../../src/core/decision/freeze-ids.ts'

const SCOPE = {
  userId: 'usr_1',
  agentId: 'agt_1',
  skill: 'coffee.order',
  action: 'place_order',
  publisherId: 'coffee.example',
  deploymentId: 'dep_1',
}

describe('freezeIdsFor', () => {
  it('names everything an action goes through', () => {
    expect(freezeIdsFor(SCOPE)).toEqual([
      'user:usr_1',
      'agent:agt_1',
      'skill:coffee.order',
      'action:coffee.order/place_order',
      'publisher:coffee.example',
      'deployment:dep_1',
      'platform:*',
    ])
  })

  it('leaves the publisher out of a skill that nobody owns', () => {
    expect(freezeIdsFor({ ...SCOPE, publisherId: null })).toHaveLength(6)
  })

  it('does not let a name pass for another kind', () => {
    const odd = freezeIdsFor({ ...SCOPE, deploymentId: '*', agentId: 'platform:*' })
    expect(odd).toContain('agent:platform:*')
    expect(odd.filter((id) => id === 'platform:*')).toHaveLength(1)
  })
})
