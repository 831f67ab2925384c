import { createHash } from 'node:crypto';
import { type DerItem, derChildren, derItems } from './der.ts';

type HashName = 'sha224' | 'sha256' | 'sha384' | 'sha512';

/** The hash that RFC 5929 §4.1 requires, by the signature algorithm's object identifier in hexadecimal. */
const signatureHashes = new Map<string, HashName>([
  ['2a864886f70d010104', 'sha256'], // md5WithRSAEncryption
  ['2a864886f70d010105', 'sha256'], // sha1WithRSAEncryption
  ['2a864886f70d01010e', 'sha224'], // sha224WithRSAEncryption
  ['2a864886f70d01010b', 'sha256'], // sha256WithRSAEncryption
  ['2a864886f70d01010c', 'sha384'], // sha384WithRSAEncryption
  ['2a864886f70d01010d', 'sha512'], // sha512WithRSAEncryption
  ['2a8648ce3d0401', 'sha256'], // ecdsa-with-SHA1
  ['2a8648ce3d040301', 'sha224'], // ecdsa-with-SHA224
  ['2a8648ce3d040302', 'sha256'], // ecdsa-with-SHA256
  ['2a8648ce3d040303', 'sha384'], // ecdsa-with-SHA384
  ['2a8648ce3d040304', 'sha512'], // ecdsa-with-SHA512
]);

/** Hash algorithms as the parameters of RSASSA-PSS name them. */
const pssHashes = new Map<string, HashName>([
  ['2b0e03021a', 'sha256'], // id-sha1
  ['608648016503040204', 'sha224'],
  ['608648016503040201', 'sha256'],
  ['608648016503040202', 'sha384'],
  ['608648016503040203', 'sha512'],
]);

const rsassaPss = '2a864886f70d01010a';

/**
 * The hash of a DER certificate for `tls-server-end-point` (RFC 5929 §4.1): it uses the hash function of the certificate's
 * signature, with SHA-256 in place of MD5 and SHA-1. Undefined for signatures without a single hash function, such as Ed25519
 * and Ed448: RFC 5929 leaves their binding undefined, so implementations disagree.
 */
export function certificateHash(certificate: Buffer): Buffer | undefined {
  const name = signatureHash(certificate);
  return name && createHash(name).update(certificate).digest();
}

function signatureHash(certificate: Buffer): HashName | undefined {
  const [, algorithm] = derChildren(certificate);
  const [identifier, parameters] = derItems(algorithm?.content ?? Buffer.alloc(0));
  if (!identifier) return undefined;
  const oid = identifier.content.toString('hex');
  return oid === rsassaPss ? pssHash(parameters) : signatureHashes.get(oid);
}

/** The hash in RSASSA-PSS-params, where a missing first field means SHA-1 (RFC 4055 §3.1). */
function pssHash(parameters: DerItem | undefined): HashName | undefined {
  const [first] = derItems(parameters?.content ?? Buffer.alloc(0));
  if (first?.tag !== 0xa0) return 'sha256';
  const [oid] = derChildren(first.content);
  return oid && pssHashes.get(oid.content.toString('hex'));
}
