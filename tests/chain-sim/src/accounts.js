import { Asset, Keypair, StrKey } from '@stellar/stellar-sdk';
import { digest } from './prng.js';

/** A deterministic account address (G…). @param {string | number} seed @param {string} name */
export function accountAddress(seed, name) {
  return Keypair.fromRawEd25519Seed(digest('account', seed, name)).publicKey();
}

/** A deterministic contract address (C…). @param {string | number} seed @param {string} name */
export function contractAddress(seed, name) {
  return StrKey.encodeContract(digest('contract', seed, name));
}

/**
 * The token that all streams pay in: the Stellar asset contract of a USDC of our own issuer, whose
 * address follows from the asset and the network, as on a real network.
 * @param {string | number} seed
 * @param {string} networkPassphrase
 */
export function tokenAsset(seed, networkPassphrase) {
  const issuer = accountAddress(seed, 'token-issuer');
  return {
    address: new Asset('USDC', issuer).contractId(networkPassphrase),
    issuer,
    symbol: 'USDC',
    name: `USDC:${issuer}`,
  };
}

/**
 * The people and contracts of the scenario.
 * @param {string | number} seed
 */
export function cast(seed) {
  const accounts = (role, count) => Array.from({ length: count }, (_, i) => accountAddress(seed, `${role}-${i}`));
  const contracts = (role, count) => Array.from({ length: count }, (_, i) => contractAddress(seed, `${role}-${i}`));
  return {
    admin: accountAddress(seed, 'admin'),
    keeper: accountAddress(seed, 'keeper'),
    treasuries: [...accounts('treasury', 4), ...contracts('treasury', 1)],
    recipients: [...accounts('recipient', 12), ...contracts('recipient', 2)],
  };
}
