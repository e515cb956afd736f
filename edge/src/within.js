/**
 * What `ask` gives, a promise or not; a rejection once that has taken too long. What was asked isn't ended by that.
 * @param {() => unknown} ask
 */
export async function within(ms, ask) {
  const given = ask();
  if (typeof given?.then !== 'function') return given;
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`No answer within ${ms / 1000} s.`)), ms);
  });
  try {
    return await Promise.race([given, late]);
  } finally {
    clearTimeout(timer);
  }
}
