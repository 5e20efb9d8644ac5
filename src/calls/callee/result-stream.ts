import { NetError } from '../../base/errors.ts';
import { runTracked } from '../context.ts';
import { sizeOf } from '../../wire/outgoing.ts';
import { encodeComplete, encodeNext, encodeStreamResult } from '../../wire/stream-frames.ts';
import type { Answers } from './answers.ts';
import type { RunningCall } from './running-call.ts';
import { StreamSource } from '../streams/stream-source.ts';
import { StreamWriter } from '../streams/stream-writer.ts';
import { takenOver } from './taken-calls.ts';

export interface ResultStreamOptions {
  answers: Answers;
  /** Streams of one connection that may be open. */
  most: number;
  /** The stream has ended; `answer` writes its last frame. */
  done: (answer: () => void) => void;
}

/** Sends the result of a function as a stream of values. */
export function sendStream(
  call: RunningCall,
  stream: AsyncIterable<unknown>,
  { answers, most, done }: ResultStreamOptions,
): void {
  const { link, id } = call;
  const source = new StreamSource(stream);
  try {
    runTracked(call, () => source.open());
  } catch (error) {
    done(() => answers.threw(link, id, error));
    return;
  }
  const over = (answer: () => void): void => {
    takenOver(link).openStreams -= 1;
    done(answer);
  };
  const writer = new StreamWriter(link, source, {
    next: (value) => {
      const frame = encodeNext(id, undefined, value, answers.stacks, link.limits.message);
      link.send(frame);
      return sizeOf(frame);
    },
    complete: (value) => {
      const frame = encodeComplete(id, undefined, value, answers.stacks, link.limits.message);
      over(() => link.send(frame));
    },
    failed: (error) => over(() => answers.threw(link, id, error)),
    refused: (error) => over(() => answers.refuseValue(link, id, error)),
    run: (step) => runTracked(call, step),
    ended: () => over(() => {}),
  });
  takenOver(link).openStreams += 1;
  call.becomeStream(writer);
  if (takenOver(link).openStreams > most) {
    const text = `more than ${most} streams would be open on this connection (limits.streams of the called peer)`;
    call.end(new NetError('OVERLOADED', text, { ran: 'yes' }));
  } else if (call.ended) {
    writer.stop();
  } else {
    link.send(encodeStreamResult(id));
    writer.start();
  }
}
