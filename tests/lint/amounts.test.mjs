// No float comes near an amount: what could make one of it stands nowhere but where these lines say why it may.
import { test } from 'node:test';
import { code, expectNone, filesMatching, read } from './project_files.mjs';

const CPP = /\b(float|double|strtof|strtold|stof|stold|atof|number_float_t|get_float)\b|\bstr?tod\b/;
const SQL = /\b(float[48]?|double precision|real|money)\b/i;
/** Before a plus that has nothing on its left: an operator, an opening bracket, a word that takes a value. */
const UNARY_PLUS = /(?:[=(,:?&|<>*/%[{;!~^-]|\+\s|\b(?:return|typeof|case|yield|await))\s*\+(?![+=])\s*[\w$("'`[.]/;
const JS = new RegExp(`\\bparseFloat\\b|\\bNumber\\(|\\bFloat(?:16|32|64)Array\\b|\\btoFixed\\b|${UNARY_PLUS.source}`);

/** What may be there: the file, the lines, and why it is no amount. One that nothing needs any more is a finding. */
const ALLOWED = [
  [
    'native-server/api/src/json_body.cpp',
    /number_float\(Json::number_float_t/,
    "the parser's word for a number with a fraction, which no field takes",
  ],
  [
    'native-server/telemetry/src/metrics_page.cpp',
    /duration<double>|double value|static_cast<double>/,
    'counts, bytes and seconds in the type that Prometheus has for them',
  ],
  ['web-demo/src/text/times.ts', /Number\(time\)/, 'a time, to be shown as a date or a duration'],
  [
    'web-demo/src/amounts/float_column.ts',
    /Number\((text|a|start|step|amount)\)/,
    'what amounts become in floats, shown beside the exact ones: that column is what the panel is there for',
  ],
  [
    'web-demo/src/stream/curve_points.ts',
    /Number\(\(.*BigInt\(GRID\)\) \//,
    'a place on the drawing, divided in BigInt before',
  ],
];

/**
 * Lines that hold `pattern`, and aren't allowed; which rules were needed is noted.
 * @param {string} path @param {string} text @param {RegExp} pattern @param {Set<number>} needed
 */
function findings(path, text, pattern, needed) {
  return text.split('\n').flatMap((line, index) => {
    if (!pattern.test(line)) return [];
    const rule = ALLOWED.findIndex(([file, lines]) => file === path && lines.test(line));
    if (rule >= 0) needed.add(rule);
    return rule >= 0 ? [] : [`${path}:${index + 1}: ${line.trim()}`];
  });
}

/** A plus at a line's beginning belongs to the line before: the two are read as one. @param {string} text */
const joined = (text) => text.replace(/\s*\n(\s*)(?=\+)/g, ' $1');

test('no float, double, Number(), parseFloat or unary plus near an amount', () => {
  const needed = new Set();
  const cpp = filesMatching(/^(core|native-server|wasm)\/.*\.(cpp|hpp|h)$/);
  const js = filesMatching(/^(wasm|web-demo)\/.*\.(js|mjs|ts)$/);
  const sql = filesMatching(/^native-server\/.*\.sql$/);
  const found = [
    ...cpp.flatMap((path) => findings(path, code(read(path), { strings: false }), CPP, needed)),
    // SQL of the store's is text in its sources.
    ...cpp
      .filter((path) => path.startsWith('native-server/store/'))
      .flatMap((path) => findings(path, code(read(path)), SQL, needed)),
    ...sql.flatMap((path) => findings(path, read(path).replace(/--.*$/gm, ''), SQL, needed)),
    ...js.flatMap((path) => findings(path, joined(code(read(path), { strings: false })), JS, needed)),
  ];
  expectNone(found, 'floats (or say in tests/lint/amounts.test.mjs why it is no amount):');
  expectNone(
    ALLOWED.filter((_, index) => !needed.has(index)).map(([path, lines]) => `${path}: ${lines}`),
    'allowed, and needed no more:',
  );
});

test('the patterns find what they are there for, and nothing else', () => {
  const cases = [
    [
      CPP,
      [
        'double rate = 0;',
        'static_cast<float>(x)',
        'std::strtod(text, &end)',
        'std::stold(text)',
        'get<double>()',
        'atof(text)',
      ],
      ['doubled(rate)', 'std::from_chars(text)', 'floating_price', 'std::stoul(text)', 'std::stol(text)'],
    ],
    [
      SQL,
      ['amount double precision', 'x::float8', 'deposit REAL NOT NULL', "'1'::money"],
      ['numeric(39, 0)', 'surreal', 'really'],
    ],
    [
      JS,
      [
        'Number(amount)',
        'parseFloat(text)',
        'Number.parseFloat(text)',
        'new Float64Array(4)',
        'amount.toFixed(7)',
        'const x = +amount;',
        'f(+amount)',
        'return +amount;',
        'a ? +b : +c',
        '[+amount]',
        'a + +amount',
        '({ x: +amount })',
        'x => +x',
        'y = + amount',
        '`${+amount}`',
      ],
      [
        'a + b',
        'a += b',
        'i++',
        '++i',
        'f(a) + 1',
        'a[1] + b',
        '"a" + b',
        'new Number64Thing',
        'BigInt(amount)',
        'toNumber(x)',
        '1e+5',
      ],
    ],
  ];
  const wrong = cases.flatMap(([pattern, bad, good]) => [
    ...bad.filter((line) => !pattern.test(line)).map((line) => `not found: ${line}`),
    ...good.filter((line) => pattern.test(line)).map((line) => `found: ${line}`),
  ]);
  expectNone(wrong, 'the patterns are wrong:');
});
