// A folder includes only what stands right of its name in CONTRIBUTING.md.
import { test } from 'node:test';
import { code, expectNone, filesMatching, hits, read } from '../project_files.mjs';
import { arrowTable, folderOfFile, folderOfHeader, OUTSIDE_PATTERNS } from './arrow_table.mjs';

// Headers only, and no layer of their own: where they may be used besides what the table says.
const HEADERS_ONLY = [
  { header: /^nlohmann\//, folders: /^native-server\// },
  { header: /^tl\/expected\.hpp$/, folders: /^native-server\// },
  { header: /^CLI\//, folders: /^native-server\/app$/ },
];
// The C library and the system's own headers.
const SYSTEM_HEADER = /^[a-z0-9_]+(\.h)?$|^(arpa|bits|net|netinet|sys)\/[a-z0-9_]+\.h$|^emscripten(\/[a-z0-9_]+)?\.h$/;

const table = arrowTable();
const sources = filesMatching(/^(core|native-server|wasm)\/.*\.(cpp|hpp|h|cc|c)$/);

function includes(path) {
  return code(read(path)).split('\n').flatMap((line, index) => {
    const [, opening, header] = /^\s*#\s*include\s*([<"])([^>"]+)[>"]/.exec(line) ?? [];
    return header ? [{ where: `${path}:${index + 1}`, header, ours: opening === '"' && !header.startsWith('fluxora/') }] : [];
  });
}

/** Why `folder` may not include this, or nothing. */
function trouble(folder, { header, ours }) {
  const allowed = table.get(folder);
  if (header.startsWith('fluxora/')) {
    const target = folderOfHeader(header.slice('fluxora/'.length), table);
    if (target === undefined) return `<${header}> belongs to no folder of CONTRIBUTING.md`;
    return allowed.everything || allowed.folders.has(target) ? undefined : `${folder} may not use ${target} (${header})`;
  }
  // "name.hpp": a private header beside the source; the way out of the folder would be "..".
  if (ours) return header.includes('..') ? `${header} leaves the folder` : undefined;
  if (OUTSIDE_PATTERNS.some((pattern) => pattern.test(header))) {
    const free = allowed.everything || allowed.outside.some((pattern) => pattern.test(header));
    return free ? undefined : `${folder} may not use <${header}>`;
  }
  const small = HEADERS_ONLY.find((library) => library.header.test(header));
  if (small !== undefined) return small.folders.test(folder) ? undefined : `${folder} may not use <${header}>`;
  return SYSTEM_HEADER.test(header) ? undefined : `<${header}> is a library that CONTRIBUTING.md doesn't name`;
}

for (const folder of table.keys()) {
  test(`${folder} includes only what it may`, (t) => {
    const files = sources.filter((path) => folderOfFile(path, table) === folder);
    if (files.length === 0) {
      t.skip('no source there');
      return;
    }
    const findings = files.flatMap((path) =>
      includes(path).flatMap((include) => {
        const reason = trouble(folder, include);
        return reason ? [`${include.where}: ${reason}`] : [];
      }),
    );
    expectNone(findings, 'against the arrows of CONTRIBUTING.md:');
  });
}

test('every source lies in a folder of the table', () => {
  expectNone(sources.filter((path) => folderOfFile(path, table) === undefined), 'in no folder of CONTRIBUTING.md:');
});

test('nothing includes tests', () => {
  const findings = sources.flatMap((path) => includes(path).filter(({ header }) => /(^|\/)tests\//.test(header)).map(({ where }) => where));
  expectNone(findings, 'tests are included:');
});

test('only net knows Boost', () => {
  const findings = sources
    .filter((path) => !path.startsWith('native-server/net/'))
    .flatMap((path) => includes(path).filter(({ header }) => header.startsWith('boost/')).map(({ where }) => where));
  expectNone(findings, 'Boost outside native-server/net:');
});

test('only store knows SQL and libpqxx', () => {
  const sql = /\b(SELECT\s.+\sFROM|INSERT\s+INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|CREATE\s+TABLE|ALTER\s+TABLE|COPY\s+\w+\s*\()/;
  const findings = sources
    .filter((path) => !path.startsWith('native-server/store/'))
    .flatMap((path) => {
      const text = code(read(path));
      return [...hits(path, text, sql), ...hits(path, text, /\bpqxx\b/)];
    });
  expectNone(findings, 'SQL or libpqxx outside native-server/store:');
});

test('the core does without JSON, threads, clocks and input or output', () => {
  const banned = /^(nlohmann\/.*|thread|mutex|future|condition_variable|atomic|chrono|ctime|time\.h|iostream|fstream|ostream|istream|iomanip|cstdio|stdio\.h|filesystem|random|format|regex)$/;
  const findings = sources
    .filter((path) => path.startsWith('core/'))
    .flatMap((path) => includes(path).filter(({ header }) => banned.test(header)).map(({ where, header }) => `${where}: <${header}>`));
  expectNone(findings, 'not for the core:');
});
