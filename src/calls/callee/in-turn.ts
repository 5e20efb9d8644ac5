import type { NetErrorCode } from '../../base/errors.ts';
import type { RunningCall } from './running-call.ts';
import { takenOver } from './taken-calls.ts';
import type { Turns } from './turns.ts';

/** The part of the runner that is needed to let a call wait for its turn. */
export interface TurnHouse {
  /** Calls that wait. */
  readonly counters: { waiting: number };
  /** Runs the function. The call has its place. */
  start(): void;
  /** Answers that the function does not run. */
  refuse(code: NetErrorCode, text: string): void;
}

/** Runs a call of a function that has a limit: at once, later, or not at all. */
export function runInTurn(turns: Turns, call: RunningCall, house: TurnHouse): void {
  const { link, id } = call;
  if (turns.take()) {
    call.turns = turns;
    house.start();
    return;
  }
  if (turns.isFull) {
    const text = `${turns.running} calls run and ${turns.waiting} wait (concurrency and queue of the function); try another peer, or later`;
    house.refuse('OVERLOADED', text);
    return;
  }
  const { counters } = house;
  const taken = takenOver(link);
  taken.running.add(call);
  counters.waiting += 1;
  const endWait = turns.wait(link.record, () => {
    call.waitsFor = undefined;
    counters.waiting -= 1;
    taken.running.delete(id);
    call.turns = turns;
    try {
      if (call.deadline > 0) house.start();
      else house.refuse('DEADLINE_EXCEEDED', 'the deadline passed before the function could start');
    } catch (error) {
      link.fail(error);
    }
  });
  const withdraw = (): void => {
    endWait();
    counters.waiting -= 1;
    // Otherwise the link is closed, and there is nobody to answer.
    const isOpen = taken.running.delete(id);
    if (isOpen) house.refuse(call.ended!.code, 'the call was cancelled before its function started');
    else call.settle();
  };
  call.waitsFor = { hasBegun: false, withdraw };
}

/** Gives the place of the call to the next one. */
export function leaveTurn(call: RunningCall): void {
  const { turns } = call;
  if (!turns) return;
  call.turns = undefined;
  turns.leave();
}
