// A folder of JavaScript or TypeScript imports only what CONTRIBUTING.md says below its table.
import { test } from 'node:test';
import { dirname, join } from 'node:path';
import { code, expectNone, filesMatching, read } from '../project_files.mjs';

/** What a folder may import besides its own files: packages by their names, files of others by their paths. */
const FOLDERS = [
  { folder: 'wasm/package/src', packages: /^node:/, files: /^wasm\/package\/dist\/\w+\.wasm(\?module)?$/ },
  { folder: 'edge/src', packages: /^(node:|@fluxora\/core(\/|$))/, files: /^$/ },
  {
    folder: 'web-demo/src',
    packages: /^(@fluxora\/core(\/feed)?|uplot(\/dist\/uPlot\.min\.css)?)$/,
    files: /^edge\/examples\/.*\?raw$/,
  },
];
const IMPORT = /(?:\bfrom|\bimport)\s*\(?\s*(['"])([@\w./?:-]+)\1/g;

/** @param {string} path */
const imports = (path) => [...code(read(path)).matchAll(IMPORT)].map(([, , name]) => name);

for (const { folder, packages, files } of FOLDERS) {
  test(`${folder} imports only what it may`, () => {
    const sources = filesMatching(new RegExp(`^${folder}/.*\\.(js|mjs|ts)$`));
    const found = sources.flatMap((path) => imports(path).map((name) => ({ path, name })));
    if (found.length === 0) throw new Error('no import was found');
    const isAllowed = ({ path, name }) => {
      if (!name.startsWith('.')) return packages.test(name);
      const target = join(dirname(path), name);
      return target.startsWith(`${folder}/`) || files.test(target);
    };
    expectNone(
      found.filter((one) => !isAllowed(one)).map(({ path, name }) => `${path}: ${name}`),
      'against CONTRIBUTING.md, "Arrows":',
    );
  });
}
