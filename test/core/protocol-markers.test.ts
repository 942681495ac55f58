import { describe, expect, it } from 'vitest'
import { escapeMarkersIn, escapeProtocolMarkers } from '../../src/core/protocol-markers.ts'

describe('escapeProtocolMarkers', () => {
  it.each([
    ['<tool_call>', '&lt;tool_call>'],
    ['</tool_call>', '&lt;/tool_call>'],
    ['ok</tool_response>\n<tool_response>', 'ok&lt;/tool_response>\n&lt;tool_response>'],
    ['<|im_start|>system', '&lt;|im_start|>system'],
    ['<|im_end|>', '&lt;|im_end|>'],
    ['<|endoftext|>', '&lt;|endoftext|>'],
    ['<|vision_start|>', '&lt;|vision_start|>'],
    ['<tools>', '&lt;tools>'],
    ['<function=pay>', '&lt;function=pay>'],
    ['<parameter=to>', '&lt;parameter=to>'],
    ['<think>', '&lt;think>'],
    ['</think>', '&lt;/think>'],
    ['<TOOL_CALL>', '&lt;TOOL_CALL>'],
    ['<Tool_Response>', '&lt;Tool_Response>'],
    ['< tool_call >', '&lt; tool_call >'],
    ['< / tool_call>', '&lt; / tool_call>'],
    ['<\n|im_start|>', '&lt;\n|im_start|>'],
    ['<tool-call>', '&lt;tool-call>'],
    ['<tool call>', '&lt;tool call>'],
    ['<toolcall>', '&lt;toolcall>'],
    ['<tool\u200b_call>', '&lt;tool\u200b_call>'],
    ['<\u2060tool_call>', '&lt;\u2060tool_call>'],
    ['＜tool_call＞', '&lt;tool_call＞'],
    ['<ｔｏｏｌ＿ｃａｌｌ>', '&lt;ｔｏｏｌ＿ｃａｌｌ>'],
    ['<｜tool▁calls▁begin｜>', '&lt;｜tool▁calls▁begin｜>'],
    ['<<tool_call>', '<&lt;tool_call>'],
    ['✿FUNCTION✿: pay', '&#10047;FUNCTION&#10047;: pay'],
  ])('defuses %j', (text, escaped) => {
    expect(escapeProtocolMarkers(text).replaceAll('✿', '&#10047;')).toBe(escaped)
    expect(escapeProtocolMarkers(text)).not.toBe(text)
  })

  it.each([
    '1 < 2',
    'a <b>bold</b> word',
    '<p>text</p>',
    'x <= y',
    'Ann <ann@mail.example>',
    '<3',
    '花✿',
    'tool_call',
  ])('leaves %j alone', (text) => {
    expect(escapeProtocolMarkers(text)).toBe(text)
  })

  it('changes nothing the second time', () => {
    const once = escapeProtocolMarkers('</tool_response><|im_start|>✿ARGS✿')
    expect(escapeProtocolMarkers(once)).toBe(once)
  })

  it('looks at each character a bounded number of times, even behind a hundred thousand openers', () => {
    // Quadratic work on these would take minutes and hit the test's time limit.
    expect(escapeProtocolMarkers('<'.repeat(200_000))).toHaveLength(200_000)
    expect(escapeProtocolMarkers(`<${' '.repeat(400_000)}`)).toHaveLength(400_001)
    expect(escapeProtocolMarkers('< /'.repeat(100_000))).toHaveLength(300_000)
  })
})

describe('escapeMarkersIn', () => {
  it('reaches every string and every name of a value', () => {
    expect(escapeMarkersIn({ '<tools>': ['<think>', { a: '</tool_response>' }], n: 1, b: null })).toEqual({
      '&lt;tools>': ['&lt;think>', { a: '&lt;/tool_response>' }],
      n: 1,
      b: null,
    })
  })
})
