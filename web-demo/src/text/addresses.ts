export function shortAddress(address: string): string {
  return address.length > 12 ? `${address.slice(0, 4)}…${address.slice(-4)}` : address;
}

/** A chain stream by its contract's beginning and its number, another by its end. */
export function shortStreamId(id: string): string {
  const [, contract, number] = id.match(/^(C[A-Z2-7]{55})-([0-9]+)$/) ?? [];
  return contract === undefined ? `api…${id.slice(-8)}` : `${contract.slice(0, 4)}…-${number}`;
}
