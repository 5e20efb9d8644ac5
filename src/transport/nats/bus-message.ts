import type { Msg } from '@nats-io/transport-node';

export interface BusMessage {
  readonly subject: string;
  readonly data: Uint8Array;
  /** Where an answer should go; empty if none is wanted. */
  readonly reply: string;
  /** The server itself sent it: nobody listens at the subject of the request that named this reply. */
  readonly isNobody: boolean;
}

export function readMessage(message: Msg): BusMessage {
  const { data } = message;
  return {
    subject: message.subject,
    data,
    reply: message.reply ?? '',
    // The headers are only read where there may be some: reading them is slow.
    isNobody: data.length === 0 && message.headers?.code === 503,
  };
}
