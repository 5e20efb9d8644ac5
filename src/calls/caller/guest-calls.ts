import { NetError } from '../../base/errors.ts';
import { isDefaultTag, readableTag } from '../../base/tag.ts';
import type { PeerRecord } from '../../connection/link/link.ts';
import type { CallOptions, Calling, Lent, PeerLoad } from '../../presence/set/remote-peer.ts';
import type { Rights } from '../../wire/handshake/pass.ts';

/** Calls to a guest: only functions that it may offer, as if it had no others. */
export class GuestCalls implements Calling {
  readonly #calling: Calling;
  readonly #rights: Rights;

  constructor(calling: Calling, rights: Rights) {
    this.#calling = calling;
    this.#rights = rights;
  }

  call(
    record: PeerRecord,
    tag: string,
    args: readonly unknown[],
    options: CallOptions,
    plain?: () => void,
    lent?: Lent,
  ): Promise<unknown> {
    const error = this.#refusal(record, tag);
    if (!error) return this.#calling.call(record, tag, args, options, plain, lent);
    lent?.release();
    return Promise.reject(error);
  }

  async *stream(
    record: PeerRecord,
    tag: string,
    args: readonly unknown[],
    options: CallOptions,
  ): AsyncGenerator<unknown, unknown, void> {
    const error = this.#refusal(record, tag);
    if (error) throw error;
    return yield* this.#calling.stream(record, tag, args, options);
  }

  callUnknown(
    record: PeerRecord,
    tag: string,
    args: readonly unknown[],
    options: CallOptions,
    plain: () => void,
  ): Promise<unknown> {
    const error = this.#refusal(record, tag);
    return error ? Promise.reject(error) : this.#calling.callUnknown(record, tag, args, options, plain);
  }

  load(record: PeerRecord, tag: string): PeerLoad {
    return this.#calling.load(record, tag);
  }

  #refusal({ id, name }: PeerRecord, tag: string): NetError | undefined {
    if (this.#rights.mayConnect(tag) || isDefaultTag(tag)) return undefined;
    const text = `the guest ${JSON.stringify(name)} may not offer ${JSON.stringify(readableTag(tag))} (\`offers\` of its pass)`;
    return new NetError('NO_SUCH_TAG', text, { peer: id, tag });
  }
}
