import { createPrivateKey, generateKeyPair, randomBytes, sign } from 'node:crypto';
import { promisify } from 'node:util';

/** Key and certificate of a TLS server, PEM. */
export interface Certificate {
  key: string;
  cert: string;
}

const COMMON_NAME = '2.5.4.3';
const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';

/** RFC 5280: this date means that the certificate does not expire. It ends with its key, which exists only in this process. */
const NO_END = new Date('9999-12-31T23:59:59Z');
const BEGIN = new Date('2020-01-01T00:00:00Z');

/**
 * Creates a key and a self-signed certificate for this process, because TLS needs one. They are never stored. The certificate
 * proves nothing and contains no name, host or user: the handshake, which is bound to the connection, proves who is at the other
 * end.
 *
 * P-256 takes 3 ms to create, and a handshake costs a tenth of what it costs with RSA.
 */
export async function ephemeralCertificate(): Promise<Certificate> {
  const { privateKey, publicKey } = await promisify(generateKeyPair)('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  // Imported late: only peers that listen on a network need it, and it costs 35 ms and 7 MiB.
  const asn1 = await import('asn1js');
  const algorithm = new asn1.Sequence({ value: [new asn1.ObjectIdentifier({ value: ECDSA_WITH_SHA256 })] });
  const name = new asn1.Sequence({
    value: [
      new asn1.Set({
        value: [
          new asn1.Sequence({
            value: [
              new asn1.ObjectIdentifier({ value: COMMON_NAME }),
              new asn1.Utf8String({ value: 'app-net' }),
            ],
          }),
        ],
      }),
    ],
  });
  const validity = new asn1.Sequence({
    value: [new asn1.UTCTime({ valueDate: BEGIN }), new asn1.GeneralizedTime({ valueDate: NO_END })],
  });
  const version = new asn1.Constructed({
    idBlock: { tagClass: 3, tagNumber: 0 },
    value: [new asn1.Integer({ value: 2 })],
  });
  const toBeSigned = new asn1.Sequence({
    value: [
      version,
      new asn1.Integer({ valueHex: serialNumber() }),
      algorithm,
      name,
      validity,
      name,
      asn1.fromBER(publicKey).result,
    ],
  });
  const signature = sign('sha256', Buffer.from(toBeSigned.toBER()), createPrivateKey(privateKey));
  const certificate = new asn1.Sequence({
    value: [toBeSigned, algorithm, new asn1.BitString({ valueHex: signature })],
  });
  return { key: privateKey, cert: pem(Buffer.from(certificate.toBER())) };
}

/** A positive number with more than 64 random bits. */
function serialNumber(): Uint8Array {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x7f) | 0x40;
  return bytes;
}

function pem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}
