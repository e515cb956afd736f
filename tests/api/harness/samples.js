// Values made from schemas: good ones, and ones that a schema refuses.

/** Texts that no parameter is likely to take. */
const ODD_TEXTS = [
  '',
  'x',
  '-1',
  '0',
  '1.5',
  '1e1',
  ' 1',
  '1 ',
  '+1',
  '0x1',
  'TRUE',
  'null',
  '99999999999999999999',
  '-9223372036854775809',
  "';--",
  '"',
  '<b>',
  '../..',
  '€',
  'a'.repeat(3_000),
];
/** JSON of every type. */
const ODD_VALUES = [
  null,
  true,
  0,
  -1,
  1.5,
  1e300,
  '',
  ' ',
  'x',
  '1e5',
  '-',
  '€',
  'a'.repeat(3_000),
  [],
  ['x'],
  [1],
  [[]],
  {},
  { x: 1 },
];

/**
 * Good values, the likeliest first: examples, then what the schema says of itself.
 * @param {import('./description.js').Description} description
 * @param {any} schema
 * @param {Map<string, any[]>} seen values that answers had, by their schema's name
 * @returns {any[]}
 */
export function goodValues(description, schema, seen) {
  const here = description.resolved(schema);
  const name = schema.$ref?.split('/').pop();
  const own = [...(here.examples ?? []), ...(seen.get(name) ?? [])];
  if (here.const !== undefined) return [here.const];
  if (here.enum) return here.enum;
  if (here.type === 'boolean') return [true, false];
  if (here.type === 'integer')
    return [
      ...own,
      ...new Set([
        here.default ?? here.minimum ?? 0,
        here.minimum ?? 0,
        Math.min(here.maximum ?? 1000, 1000),
        here.maximum ?? 1000,
      ]),
    ];
  if (own.length > 0) return own;
  if (here.type === 'string' && !here.pattern) return ['x'.repeat(here.minLength ?? 1)];
  return [];
}

/**
 * Texts that aren't the parameter's.
 * @param {import('./description.js').Description} description
 * @param {any} schema
 */
export function badTexts(description, schema) {
  const validate = description.validator(schema);
  return ODD_TEXTS.filter((text) => {
    const value = description.valueOf(schema, text);
    return value === undefined || !validate(value);
  });
}

/** Values that aren't the member's. @param {import('./description.js').Description} description @param {any} schema */
export function badValues(description, schema) {
  const { maxItems } = description.resolved(schema);
  const long = maxItems === undefined ? [] : [Array.from({ length: maxItems + 1 }, () => 'x')];
  const validate = description.validator(schema);
  return [...ODD_VALUES, ...long].filter((value) => !validate(value));
}

/** Bodies that aren't JSON objects, or that no reader of JSON agrees on; and their media types. */
export function badBodies(good) {
  const json = 'application/json';
  const text = JSON.stringify(good);
  const [first] = Object.keys(good);
  const twice = `{${JSON.stringify(first)}:${JSON.stringify(good[first])},${text.slice(1)}`;
  const deep = (levels) => `{"x":${'['.repeat(levels)}${']'.repeat(levels)}}`;
  const broken = [
    '',
    ' ',
    '{',
    '[]',
    '"x"',
    'null',
    '5',
    'NaN',
    text.slice(0, -1),
    `${text}x`,
    `${text}${text}`,
    text.replace('{', '{,'),
    text.replaceAll('"', "'"),
    twice,
    `{"x":"\\u0000",${text.slice(1)}`,
    `{"x\\u0000":1,${text.slice(1)}`,
    `{"x":"\\ud800",${text.slice(1)}`,
    `{"x":1e999,${text.slice(1)}`,
    deep(21),
    deep(50_000),
  ];
  return [
    ...broken.map((body) => ({ what: `body ${body.slice(0, 40)}`, body, type: json, status: 400 })),
    {
      what: 'a body that is not UTF-8',
      body: Buffer.concat([Buffer.from('{"x":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]),
      type: json,
      status: 400,
    },
    {
      what: 'a body with a BOM',
      body: Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf, 0xff]), Buffer.from(text)]),
      type: json,
      status: 400,
    },
    { what: 'a huge body', body: `{"x":"${'a'.repeat(300 * 1024)}"}`, type: json, status: 413 },
    ...[
      'text/plain',
      'application/json; charset=latin1',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/jsonp',
      '',
    ].map((type) => ({ what: `a body that says "${type}"`, body: text, type, status: 415 })),
  ];
}
