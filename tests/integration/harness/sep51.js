// Smart-contract values as SEP-51 (XDR-JSON) writes them, from what the official SDK decodes.
import { Address, scValToBigInt, xdr } from '@stellar/stellar-sdk';

const ESCAPES = new Map([[0x00, '\\0'], [0x09, '\\t'], [0x0a, '\\n'], [0x0d, '\\r'], [0x5c, '\\\\']]);

/** Bytes as escaped ASCII: strings and symbols of the chain need not be UTF-8. @param {Buffer | string} bytes */
function escapeText(bytes) {
  return [...Buffer.from(bytes)]
    .map((byte) => ESCAPES.get(byte) ?? (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`))
    .join('');
}

/** scvContractInstance → contract_instance, sceWasmVm → wasm_vm. @param {string} name @param {string} prefix */
const snakeCase = (name, prefix) => name.slice(prefix.length).replace(/(?<!^)[A-Z]/g, '_$&').toLowerCase();

/** @param {xdr.ScMapEntry[] | null | undefined} entries */
const mapJson = (entries) => entries?.map((entry) => ({ key: scValJson(entry.key()), val: scValJson(entry.val()) })) ?? null;

/** @param {xdr.ScError} error */
function errorJson(error) {
  const type = snakeCase(error.switch().name, 'sce');
  return { [type]: type === 'contract' ? error.contractCode() : snakeCase(error.code().name, 'scec') };
}

/** @param {xdr.ScContractInstance} instance */
function instanceJson(instance) {
  const executable = instance.executable();
  return {
    executable: executable.switch().name === 'contractExecutableWasm' ? { wasm: executable.wasmHash().toString('hex') } : 'stellar_asset',
    storage: mapJson(instance.storage()),
  };
}

/** @param {xdr.ScVal} value @returns {unknown} */
export function scValJson(value) {
  const arm = value.switch().name;
  const name = snakeCase(arm, 'scv');
  switch (arm) {
    case 'scvVoid': return 'void';
    case 'scvLedgerKeyContractInstance': return 'ledger_key_contract_instance';
    case 'scvBool': return { [name]: value.b() };
    case 'scvError': return { [name]: errorJson(value.error()) };
    case 'scvU32': return { [name]: value.u32() };
    case 'scvI32': return { [name]: value.i32() };
    case 'scvBytes': return { [name]: value.bytes().toString('hex') };
    case 'scvString': return { [name]: escapeText(value.str()) };
    case 'scvSymbol': return { [name]: escapeText(value.sym()) };
    case 'scvVec': return { [name]: value.vec()?.map(scValJson) ?? null };
    case 'scvMap': return { [name]: mapJson(value.map()) };
    case 'scvAddress': return { [name]: Address.fromScAddress(value.address()).toString() };
    case 'scvContractInstance': return { [name]: instanceJson(value.instance()) };
    case 'scvLedgerKeyNonce': return { [name]: { nonce: value.nonceKey().nonce().toString() } };
    case 'scvTimepoint': return { [name]: value.timepoint().toString() };
    case 'scvDuration': return { [name]: value.duration().toString() };
    default: return { [name]: scValToBigInt(value).toString() };
  }
}

/** @param {string} base64 */
export const scValJsonFromBase64 = (base64) => scValJson(xdr.ScVal.fromXDR(base64, 'base64'));
