// Programs as documents show them, to be run.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = new URL('../../../', import.meta.url);

/** The only block of a document that is in this language and has this text in it. */
export function block(document, language, text) {
  const blocks = [...readFileSync(new URL(document, ROOT), 'utf8').matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)]
    .filter(([, of, code]) => of === language && code.includes(text));
  if (blocks.length !== 1) throw new Error(`${document} has ${blocks.length} blocks with ${text}`);
  return blocks[0][2];
}

/** A block as a module: what it imports is this project's, or found from `from`. `names` are exported besides. */
export async function runModule(code, names = [], from = import.meta.url) {
  const { exports } = JSON.parse(readFileSync(new URL('edge/package.json', ROOT), 'utf8'));
  const require = createRequire(from);
  const resolved = code.replace(/ from '([^']+)';$/gm, (_, name) => {
    const entry = exports[name.replace('@fluxora/edge', '.')];
    if (name.startsWith('@fluxora/edge')) return ` from '${new URL(entry.default, new URL('edge/', ROOT))}';`;
    return ` from '${name.startsWith('node:') ? name : pathToFileURL(require.resolve(name))}';`;
  });
  const exported = names.length > 0 ? `\nexport { ${names.join(', ')} };\n` : '';
  return import(`data:text/javascript,${encodeURIComponent(resolved + exported)}`);
}

export const pathOf = (file) => fileURLToPath(new URL(file, ROOT));
