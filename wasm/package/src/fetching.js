/** Compiles what a URL gives. */
export async function compileFetched(source) {
  const response = await fetch(source);
  if (!response.ok) throw new Error(`The module was answered with ${response.status}.`);
  // Streaming insists on the media type; a server that doesn't know it costs only the overlap.
  const type = response.headers.get('content-type')?.split(';')[0].trim();
  if (type === 'application/wasm') return WebAssembly.compileStreaming(response);
  return WebAssembly.compile(await response.arrayBuffer());
}
