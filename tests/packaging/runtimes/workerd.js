// workerd, the runtime of Cloudflare Workers. It is given every module by name, compiled ones as such, so nothing is
// left to resolve: the condition `workerd` of the installed package.json is followed here.
import { readFileSync, readdirSync } from 'node:fs';
import { Miniflare } from 'miniflare';

import { Project } from '../installed_package.js';
import { SELF_CHECK, programFor } from './program.js';

const CONDITIONS = ['workerd', 'worker', 'browser', 'import'];
const ENDING = 'export default { fetch: async () => new Response(await run()) };';

function modulesOf(project, folder, pattern, type) {
  return readdirSync(project.path(folder))
    .filter((name) => pattern.test(name))
    .map((name) => ({ type, path: project.path(`${folder}/${name}`), contents: readFileSync(project.path(`${folder}/${name}`)) }));
}

export async function runWorkerd(project, job = SELF_CHECK) {
  const main = programFor(job, ENDING, (entry) => `./${project.resolve(entry, CONDITIONS)}`);
  const worker = new Miniflare({
    cf: false, // otherwise it asks a server of Cloudflare's where it is
    host: '127.0.0.1',
    compatibilityDate: '2026-04-01',
    modulesRoot: project.folder,
    modules: [
      { type: 'ESModule', path: project.path('worker.js'), contents: main },
      { type: 'ESModule', path: project.path(job.file), contents: readFileSync(project.path(job.file)) },
      ...modulesOf(project, Project.installed('src'), /\.js$/, 'ESModule'),
      ...modulesOf(project, Project.installed('dist'), /\.wasm$/, 'CompiledWasm'),
    ],
  });
  try {
    const response = await worker.dispatchFetch('http://worker.test/');
    const text = await response.text();
    if (response.status !== 200) throw new Error(text);
    return text;
  } finally {
    await worker.dispose();
  }
}
