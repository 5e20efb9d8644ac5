import type { AnyFunction, Remote } from '../base/function-types.ts';
import { abortSignal, milliseconds, refuseUnknown } from '../base/option-checks.ts';
import { asStream } from './as-stream.ts';
import { besideOf } from './codec/beside.ts';
import type { OutgoingCalls } from './outgoing.ts';
import type { PageCallOptions, PageRemote } from './page-types.ts';

const OPTIONS: Record<keyof PageCallOptions, true> = { deadline: true, signal: true, meta: true };

/** A function of the server. @param otherwise the deadline of a call that has none of its own, in ms */
export function remoteOf<F extends AnyFunction>(
  outgoing: OutgoingCalls,
  tag: string,
  otherwise: number,
): PageRemote<F> {
  /** Its last result was no stream: its promises need not look like streams any more. */
  let isPlain = false;
  const plain = (): void => {
    isPlain = true;
  };
  const withOptions = (options: PageCallOptions): Remote<F> => {
    refuseUnknown('option', options, OPTIONS);
    const { signal, meta } = options;
    const time = milliseconds('deadline', options.deadline, otherwise);
    abortSignal('signal', signal);
    const beside = besideOf(meta);
    const call = (...args: unknown[]): Promise<unknown> =>
      isPlain
        ? outgoing.call(tag, args, time, signal, beside)
        : asStream(outgoing.call(tag, args, time, signal, beside, plain));
    return call as unknown as Remote<F>;
  };
  return Object.assign(withOptions({}), { tag, with: withOptions }) as PageRemote<F>;
}
