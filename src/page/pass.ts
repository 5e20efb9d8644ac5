import { isFields } from '../wire/shapes.ts';

/** A pass, as far as a page has to know it: `<public part>.<key>`, both base64url. `docs/protocol.md` describes it. */
export interface Pass {
  /** The public part, as it is written. The hello shows it. */
  readonly shown: string;
  /** 32 bytes. */
  readonly key: Uint8Array<ArrayBuffer>;
  /** When it expires, in ms since 1970. */
  readonly expires: number;
}

const PASS = /^([\w-]{1,4096})\.([\w-]{43})$/;

/** @throws TypeError for anything but a pass of this version */
export function readPass(text: unknown): Pass {
  const [, shown, key] = (typeof text === 'string' && PASS.exec(text)) || [];
  let claims: unknown;
  try {
    claims = JSON.parse(new TextDecoder().decode(fromBase64(shown!)));
  } catch {
    // Handled like a wrong shape, below.
  }
  if (!isFields(claims) || typeof claims['exp'] !== 'number') {
    throw new TypeError('pass: give the text of peer.pass(), all of it');
  }
  if (claims['v'] !== 1) {
    throw new TypeError('pass: it is of a newer app-net; update this page');
  }
  return { shown: shown!, key: fromBase64(key!), expires: claims['exp'] * 1_000 };
}

/** As base64url, without padding. */
export function toBase64(bytes: Iterable<number>): string {
  return btoa(String.fromCharCode(...bytes)).replaceAll(/[+/=]/g, (each) => URL_SAFE[each]!);
}

const URL_SAFE: Record<string, string> = { '+': '-', '/': '_', '=': '' };

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (each) => each.charCodeAt(0));
}
