/**
 * PKCS #12 files (RFC 7292) as OpenSSL 3, Java and today's Python read them: PBES2 with AES-256, HMAC with SHA-256, and
 * DER throughout, since some readers know no BER.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import * as asn1js from 'asn1js';
import * as pkijs from 'pkijs';

/** Bag types and attributes of PKCS #12 and PKCS #9. */
const SHROUDED_KEY = '1.2.840.113549.1.12.10.1.2';
const CERTIFICATE = '1.2.840.113549.1.12.10.1.3';
const FRIENDLY_NAME = '1.2.840.113549.1.9.20';
const LOCAL_KEY_ID = '1.2.840.113549.1.9.21';

const ITERATIONS = 10_000;
const INTEGRITY_BY_PASSWORD = 0;

export interface Pkcs12Content {
  readonly name: string;
  /** PEM both. */
  readonly certificate: string;
  readonly privateKey: string;
  /** '' is the empty password: two zero bytes in the MAC's key derivation, as OpenSSL and Java write it. */
  readonly password: string;
}

const bytes = (data: Uint8Array): ArrayBuffer => Uint8Array.from(data).buffer;

const encryption = (password: ArrayBuffer) => ({
  password,
  contentEncryptionAlgorithm: { name: 'AES-CBC', length: 256, iv: new ArrayBuffer(16) },
  hmacHashAlgorithm: 'SHA-256',
  iterationCount: ITERATIONS,
});

/** A name to show, and what ties the key to its certificate for Java. */
const bagAttributes = (name: string, certificate: X509Certificate): pkijs.Attribute[] => [
  new pkijs.Attribute({ type: FRIENDLY_NAME, values: [new asn1js.BmpString({ value: name })] }),
  new pkijs.Attribute({
    type: LOCAL_KEY_ID,
    values: [new asn1js.OctetString({ valueHex: bytes(Buffer.from(certificate.fingerprint.replaceAll(':', ''), 'hex')) })],
  }),
];

const contents = (bag: pkijs.SafeBag): ArrayBuffer => new pkijs.SafeContents({ safeBags: [bag] }).toSchema().toBER(false);

const certificateSafe = async (certificate: X509Certificate, attributes: pkijs.Attribute[], password: ArrayBuffer) => {
  const bagValue = new pkijs.CertBag({ parsedValue: pkijs.Certificate.fromBER(bytes(certificate.raw)) });
  const bag = new pkijs.SafeBag({ bagId: CERTIFICATE, bagValue, bagAttributes: attributes });
  const data = new pkijs.EncryptedData();
  await data.encrypt({ ...encryption(password), contentToEncrypt: contents(bag) });
  // pkijs splits the octets into pieces of indefinite length, which only BER allows.
  const encrypted = data.encryptedContentInfo;
  encrypted.encryptedContent = new asn1js.OctetString({ valueHex: encrypted.getEncryptedContent() });
  return new pkijs.ContentInfo({ contentType: pkijs.ContentInfo.ENCRYPTED_DATA, content: data.toSchema() });
};

const keySafe = async (privateKey: string, attributes: pkijs.Attribute[], password: ArrayBuffer) => {
  const pkcs8 = createPrivateKey(privateKey).export({ type: 'pkcs8', format: 'der' });
  const bagValue = new pkijs.PKCS8ShroudedKeyBag({ parsedValue: pkijs.PrivateKeyInfo.fromBER(bytes(pkcs8)) });
  await bagValue.makeInternalValues(encryption(password));
  const bag = new pkijs.SafeBag({ bagId: SHROUDED_KEY, bagValue, bagAttributes: attributes });
  const content = new asn1js.OctetString({ valueHex: contents(bag) });
  return new pkijs.ContentInfo({ contentType: pkijs.ContentInfo.DATA, content });
};

/** The bytes of a .p12 file that holds one key and its certificate. */
export const toPkcs12 = async ({ name, certificate, privateKey, password }: Pkcs12Content): Promise<Buffer> => {
  const leaf = new X509Certificate(certificate);
  const attributes = bagAttributes(name, leaf);
  const secret = bytes(Buffer.from(password, 'utf8'));
  const authenticatedSafe = new pkijs.AuthenticatedSafe({
    safeContents: [await certificateSafe(leaf, attributes, secret), await keySafe(privateKey, attributes, secret)],
  });
  const pfx = new pkijs.PFX({ parsedValue: { integrityMode: INTEGRITY_BY_PASSWORD, authenticatedSafe } });
  await pfx.makeInternalValues({
    password: secret,
    iterations: ITERATIONS,
    pbkdf2HashAlgorithm: { name: 'SHA-256' },
    hmacHashAlgorithm: 'SHA-256',
  });
  return Buffer.from(pfx.toSchema().toBER(false));
};
