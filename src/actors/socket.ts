import { fromCallback } from 'xstate';

import { BadFrame, decodeMessage } from '../wire/codec.ts';
import { CLOSE } from '../wire/frames.ts';
import type { CancelFrame, ErrorFrame, Frame, RequestFrame, ResultFrame } from '../wire/frames.ts';
import type { CallerRef } from './caller.ts';
import type { DispatcherRef } from './dispatcher.ts';
import type { Link } from './link.ts';

export interface SocketInput {
  link: Link;
  caller: CallerRef;
  dispatcher: DispatcherRef;
}

/**
 * Owns the socket of a link: hands each frame to who it is for, and ends the socket when it is stopped. Requests
 * and answers go straight to dispatcher and caller; only what concerns the connection goes to its machine.
 */
export const socketLogic = fromCallback<{ type: 'never' }, SocketInput>(({ input, sendBack }) => {
  const { link, caller, dispatcher } = input;
  let open = true;

  // What one message holds for each of the two, so that a message to an actor is paid for once and not per call.
  let answers: (ResultFrame | ErrorFrame)[] = [];
  let requests: (RequestFrame | CancelFrame)[] = [];

  const deliver = (): void => {
    if (answers.length > 0) {
      const frames = answers;
      answers = [];
      caller.send({ type: 'frames.received', link, frames });
    }
    if (requests.length > 0) {
      const frames = requests;
      requests = [];
      dispatcher.send({ type: 'frames.received', link, frames });
    }
  };

  const route = (frame: Frame): void => {
    switch (frame.type) {
      case 'request':
      case 'cancel':
        requests.push(frame);
        break;
      case 'result':
      case 'error':
        answers.push(frame);
        break;
      case 'functions':
      case 'goaway':
        // What came before a goaway is not affected by it.
        deliver();
        sendBack({ type: 'frame.received', link, frame });
        break;
    }
  };

  link.socket.receive({
    message: (text) => {
      if (!open) return;
      try {
        decodeMessage(text, route, link.newerVersion);
      } catch (error) {
        if (!(error instanceof BadFrame)) throw error;
        open = false;
        deliver();
        link.close(CLOSE.BAD_FRAME, error.message);
        return;
      }
      deliver();
    },
    closed: () => {
      open = false;
      sendBack({ type: 'link.closed', link });
    },
  });
  link.onIdle = () => sendBack({ type: 'link.idle', link });

  return () => {
    open = false;
    link.socket.terminate();
  };
});
