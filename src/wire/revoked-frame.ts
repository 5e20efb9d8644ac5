import { isCount, isFields, isListOf } from './shapes.ts';

/**
 * Passes that were taken back, since any peer that has the secret takes them. Peers that have the secret tell each other, and hand on
 * what is new to them. `docs/protocol.md` describes the same for clients in other languages.
 */
export interface RevokedFrame {
  type: 'revoked';
  passes: readonly RevokedPass[];
}

export interface RevokedPass {
  /** The name of the pass, which is in its public part. */
  id: string;
  /** When it expires, in seconds since 1970. */
  exp: number;
}

/** Passes in one frame, at most. */
export const MOST_REVOKED = 1_024;

/** The name of a pass or of a secret: 12 bytes, base64url. */
export const PASS_NAME = /^[A-Za-z0-9_-]{16}$/;

export function isRevokedFrame(value: Record<string, unknown>): boolean {
  return isListOf(value['passes'], MOST_REVOKED, isRevokedPass);
}

function isRevokedPass(value: unknown): boolean {
  return (
    isFields(value) && typeof value['id'] === 'string' && PASS_NAME.test(value['id']) && isCount(value['exp'])
  );
}
