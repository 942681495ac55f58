import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  omitPointer,
  parsePointer,
  pointerOf,
  readPointer,
  selectPointer,
  setPointer,
} from '../../src/core/json-pointer.ts'

describe('parsePointer', () => {
  it.each([
    ['', []],
    ['/', ['']],
    ['/a~1b/m~0n', ['a/b', 'm~n']],
    ['/~01', ['~1']],
    ['a', undefined],
    ['/a~2', undefined],
    ['/a~', undefined],
    ['#/a', undefined],
  ])('reads %j', (pointer, tokens) => {
    expect(parsePointer(pointer)).toEqual(tokens)
  })

  it('reads back whatever pointerOf wrote', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string(), fc.constantFrom('~1', '/', '~', '*', ''))), (tokens) => {
        expect(parsePointer(pointerOf(tokens))).toEqual(tokens)
      }),
      { seed: 1 },
    )
  })
})

describe('readPointer', () => {
  const value = { foo: ['bar', 'baz'], '': 0, 'a/b': 1, 'm~n': 8, '*': 2 }
  it.each([
    ['', value],
    ['/foo/0', 'bar'],
    ['/', 0],
    ['/a~1b', 1],
    ['/m~0n', 8],
    ['/*', 2],
    ['/foo/2', undefined],
    ['/foo/01', undefined],
    ['/foo/-', undefined],
    ['/foo/length', undefined],
    ['/toString', undefined],
    ['/__proto__', undefined],
    ['/constructor/name', undefined],
    ['/foo/0/0', undefined],
    ['foo', undefined],
  ])('answers for %j', (pointer, found) => {
    expect(readPointer(value, pointer)).toEqual(found)
  })
})

describe('selectPointer', () => {
  const value = {
    items: [
      { sku: 'a', by: { x: 1 } },
      { sku: 'b', by: { y: 2 } },
    ],
    none: [],
    map: { p: 1, 'q/r': 2 },
  }
  it.each([
    [
      '/items/*/sku',
      [
        ['/items/0/sku', 'a'],
        ['/items/1/sku', 'b'],
      ],
    ],
    [
      '/items/*/by/*',
      [
        ['/items/0/by/x', 1],
        ['/items/1/by/y', 2],
      ],
    ],
    [
      '/map/*',
      [
        ['/map/p', 1],
        ['/map/q~1r', 2],
      ],
    ],
    ['/items/1/sku', [['/items/1/sku', 'b']]],
  ])('finds each value of %s with its own pointer', (pointer, found) => {
    const matches = found.map(([at, matched]) => ({ pointer: at, value: matched }))
    expect(selectPointer(value, pointer)).toEqual({ kind: 'found', matches })
  })

  it.each([
    ['an empty array', '/none/*'],
    ['an absent array', '/absent/*'],
    ['an array of which one element lacks the field', '/items/*/by/x'],
    ['a scalar', '/items/0/sku/*'],
    ['a name of the prototype', '/items/*/toString'],
    ['no pointer', 'items'],
  ])('says that %s is missing', (_, pointer) => {
    expect(selectPointer(value, pointer)).toEqual({ kind: 'missing' })
  })
})

describe('setPointer', () => {
  it('returns a copy and leaves the original alone', () => {
    const value = { a: [{ b: 1 }], c: 2 }
    expect(setPointer(value, '/a/0/token', 'x')).toEqual({ a: [{ b: 1, token: 'x' }], c: 2 })
    expect(value).toEqual({ a: [{ b: 1 }], c: 2 })
  })

  it('sets __proto__ as an own member', () => {
    const changed = setPointer({}, '/__proto__', { admin: true })
    expect(JSON.stringify(changed)).toBe('{"__proto__":{"admin":true}}')
    expect(Object.getPrototypeOf(changed)).toBe(Object.prototype)
  })

  it.each([
    ['a parent that does not exist', '/x/y'],
    ['an index behind the end', '/a/1'],
    ['the end of an array', '/a/-'],
    ['a member of a scalar', '/c/d'],
    ['no pointer', 'c'],
  ])('refuses %s', (_, pointer) => {
    expect(setPointer({ a: [1], c: 2 }, pointer, 0)).toBeUndefined()
  })
})

describe('omitPointer', () => {
  const value = { items: [{ sku: 'a', phone: '1' }, { sku: 'b' }], note: 'n', __proto__: null }
  it.each([
    ['/note', { items: [{ sku: 'a', phone: '1' }, { sku: 'b' }] }],
    ['/items/*/phone', { items: [{ sku: 'a' }, { sku: 'b' }], note: 'n' }],
    ['/items/0', { items: [{ sku: 'b' }], note: 'n' }],
    ['/items/*', { items: [], note: 'n' }],
    ['/*', {}],
    ['/absent/x', { items: [{ sku: 'a', phone: '1' }, { sku: 'b' }], note: 'n' }],
  ])('cuts %s from a copy', (pointer, rest) => {
    expect(omitPointer(value, pointer)).toEqual(rest)
    expect(value.items).toHaveLength(2)
  })

  it('makes what set added disappear again', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.integer()), fc.string(), (object, name) => {
        fc.pre(!Object.hasOwn(object, name) && name !== '*')
        const pointer = pointerOf([name])
        const changed = setPointer(object, pointer, 1)
        expect(changed === undefined ? changed : omitPointer(changed, pointer)).toEqual({ ...object })
      }),
      { seed: 1 },
    )
  })
})
