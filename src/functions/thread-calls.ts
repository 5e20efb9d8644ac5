import { NetError } from '../base/errors.ts';
import { checkCallOptions } from '../calls/caller/call-options.ts';
import { kindOf } from '../calls/callee/registry.ts';
import type { AnyFunction } from '../base/function-types.ts';
import { NO_OPTIONS } from '../presence/set/remote-peer.ts';
import type { CallOptions } from '../presence/set/remote-peer.ts';
import type { FunctionThreads } from '../threads/pools.ts';

/** `fn.thread`: makes calls of the function in threads of this process. @param all the threads that run it */
export function threadCalls(
  fn: AnyFunction,
  all: () => readonly FunctionThreads[],
): (options?: CallOptions) => (...args: readonly unknown[]) => unknown {
  let known = kindOf(fn);
  // As with other processes: a function that has returned a plain value does not return streams.
  const plain = (): void => {
    known = 'promise';
  };
  return (options = NO_OPTIONS) => {
    if (options !== NO_OPTIONS) checkCallOptions(options);
    return (...args) => {
      const threads = all().find(({ pool }) => !pool.isOver) ?? all()[0];
      if (!threads) return Promise.reject(inThread());
      if (known === 'promise') return threads.call(args, options);
      if (known === 'stream') return threads.stream(args, options);
      return threads.callUnknown(args, options, plain);
    };
  };
}

function inThread(): NetError {
  return new NetError(
    'NOT_SENT',
    'this code already runs in a thread, and a thread has no threads; call the function plainly',
  );
}
